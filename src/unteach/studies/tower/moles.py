"""The task that closes back doors one after another, and looks which are still open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unteach.core import Request, derive
from unteach.knowledge.sheet import Sheet

from .forgetting import gauge_of, left_of, method_for, small
from .gauge import Gauge
from .lessons import Course, Lessons
from .setting import ways_to
from .taught import SOME, taught


def mole_task(payload: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return every door's accuracy when the front door and some back doors are forgotten.

    A door is closed by forgetting the very questions that it asks, with all other skills held in
    place; the first `closed` doors in the tower's order are.
    """
    skill, closed = payload["skill"], int(payload["closed"])
    gauge, model = gauge_of(payload), taught(payload, folder)
    tasks = gauge.tasks
    asked: list[Sheet] = []
    for way in ways_to(gauge.graph, skill, tasks.groups)[:closed]:
        def record(name: str, inputs: Any) -> Any:
            asked.append(tasks.of(name, inputs))
            return gauge.graph.truth(name, inputs)

        way.program.run(tasks.domain(skill), record, gauge.graph.maps)
    method = method_for("labels", int(payload["steps"]), lambda _: False, held=True,
                        share=float(payload["share"]))  # fmt: skip
    course = Course(tasks, skill, left_of(tasks, skill, "everything"), tuple(asked))
    gone = method.forget(small(model), course, Request(groups=[skill]),
                         seed=derive(int(payload["seed"]), "mole", closed)).model  # fmt: skip
    ask = gauge.oracle(gone)
    return {"doors": gauge.doors(ask, skill), "skills": gauge.skills(ask), "closed": closed,
            "skill": skill}  # fmt: skip


def entangle_task(payload: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return how much of each other skill falls when one goes and only these two are loose."""
    gauge, model = gauge_of(payload), taught(payload, folder)
    tasks, skill = gauge.tasks, payload["skill"]
    probe = Gauge(tasks, n=SOME, seed=derive(int(payload["seed"]), "stop"))
    chance, before = gauge.graph.chance, gauge.oracle(model)
    found = {}
    for watched in payload["watched"]:
        held = tasks.only([n for n in tasks.groups if n not in (skill, watched)])

        def until(after: Any) -> bool:
            return probe.led(after, [skill])[skill]["share"] <= chance[skill] + 0.06

        method = method_for("labels", int(payload["steps"]), until, held=False)
        course = Course(tasks, skill, Lessons((held,)))
        own = derive(int(payload["seed"]), "pair", skill, watched)
        gone = method.forget(small(model), course, Request(groups=[skill]), seed=own).model
        after = gauge.oracle(gone)
        found[watched] = {"before": gauge.share(before, watched),
                          "after": gauge.share(after, watched),
                          "forgotten": gauge.share(after, skill)}  # fmt: skip
    return {"cells": found, "skill": skill}

