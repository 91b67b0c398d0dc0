"""The tasks that change a skill's definition, and ask who follows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unteach.core import Request, derive
from unteach.knowledge import ripple
from unteach.unlearn import CFk, FineTune

from .forgetting import gauge_of, left_of, small
from .gauge import Gauge
from .lessons import Course, Lessons
from .setting import LAST, composites, shifted, top
from .taught import SOME, taught

SURE = 0.995
BEHIND = 4
"""Layers behind the last attention: up, down, normalization and read-out. None of them can look
back at what stands before, so that a call in a trace is hard to tell from a question at the front
door; with all layers free the model learns to tell them apart."""


def change_task(payload: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return who answers by the new definition, who by the old one, and who by neither."""
    skill, kept = payload["skill"], payload["kept"]
    gauge, model = gauge_of(payload), taught(payload, folder)
    tasks, graph = gauge.tasks, gauge.graph
    new = tasks.changed(shifted(graph, skill))
    taken = Gauge(new, n=SOME, seed=derive(int(payload["seed"]), "stop"))
    least = int(payload["steps"]) if kept != "none" else 0
    told = Lessons((new.only([skill]), *left_of(tasks, skill, kept).parts))
    seen = {"step": 0}

    def until(after: Any) -> bool:
        seen["step"] += 10
        return seen["step"] >= least and taken.led(after, [skill])[skill]["whole"] >= SURE

    shared: dict[str, Any] = {
        "lr": 1e-3, "steps": int(payload["steps"]), "clip": 1.0, "until": until, "every": 10
    }  # fmt: skip
    method = CFk(k=BEHIND, **shared) if payload["moved"] == LAST else FineTune(**shared)
    course: Any = Course(tasks, skill, told)
    own = derive(int(payload["seed"]), "change", kept)
    gone = method.forget(small(model), course, Request(groups=[skill]), seed=own)
    after, ask = gone.model, gauge.oracle(gone.model)
    answers = {}
    for name in (skill, *composites(graph, skill, tasks.groups)):
        x = gauge.inputs[name]
        found = ripple(ask(name, x), new=new.truth(name, x), old=graph.truth(name, x))
        answers[name] = {"new": found.new, "old": found.old, "neither": found.neither,
                         "n": found.n}  # fmt: skip
    above = top(graph, skill, tasks.groups)
    return {
        "answers": answers,
        "steps": len(after.trace_.losses),
        "skills": gauge.skills(ask),
        "coherence": {
            name: gauge.coherent(ask, name) for name in composites(graph, skill, tasks.groups)
        },
        "roles": list(gauge.roles(model, after, above, new).rows()),
        "traced": above,
    }
