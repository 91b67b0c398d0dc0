"""The tasks that forget a skill: by several methods, with several things held in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from unteach.core import Request, derive
from unteach.skills import Sheet, protect, ripple
from unteach.unlearn import (
    CFk,
    FineTune,
    GradientAscent,
    NegGradPlus,
    RandomLabel,
    TaskVector,
    TokenRows,
)

from .gauge import Gauge, near
from .lessons import Course, Lessons
from .setting import BARE, LAST, SPARED, composites, graph_of, shifted, tasks_of, top, ways_to
from .taught import SOME, taught, teaching

QUICKLY = 64  # tasks a batch while forgetting: many small steps
WELL, SLACK = 0.97, 0.02
"""A protected skill is held until it stands so well, or but so little worse than before."""
NEARLY = 0.06
"""How near to chance a front door is brought, when that is what ends a forgetting."""
ROOTED = 50
"""Steps that an arm has at least whose damage is read in the trace: in ten a front door can fall by
how the skill is called, before what computes it has moved."""


def gauge_of(payload: Mapping[str, Any]) -> Gauge:
    """Return the questions of the study for one format and seed."""
    tasks = tasks_of(payload["world"], payload["format"])
    return Gauge(tasks, n=int(payload["n"]), seed=derive(int(payload["seed"]), "gauge"))


def small(model: Any) -> Any:
    """Return the model with smaller batches; its parameters are shared, methods copy them."""
    import copy

    smaller = copy.copy(model)
    smaller.how = replace(model.how, batch_size=QUICKLY)
    return smaller


def method_for(
    name: str,
    steps: int,
    until: Callable[[Any], bool],
    *,
    held: bool,
    share: float = 0.5,
    token: int = 0,
) -> Any:
    """Return a method of the study with its settings, the same for all formats.

    Where everything is held in place, random labels take large steps; where it is not, small
    ones, which do less that was not asked for. There `share` is the weight of what goes: little
    in the quick form, whose few skills are soon hurt by more.
    """
    shared: dict[str, Any] = {"steps": steps, "clip": 1.0, "until": until, "every": 10}
    if name == "ascent":
        return GradientAscent(lr=3e-4, ceiling=6.0, **{**shared, "every": 2})
    if name == "neggrad":
        return NegGradPlus(lr=5e-4, alpha=0.9, ceiling=4.0, **shared)
    if name == "vector":
        return TaskVector(
            lr=1e-3, scales=(0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32), **{**shared, "steps": 20}
        )
    if name == "row":
        return TokenRows(lr=1e-2, share=0.4, tokens=(token,), **shared)
    return RandomLabel(lr=1e-3 if held else 3e-4, share=share if held else 0.5, **shared)


def forget_task(payload: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what is left of a skill, and of all others, after one method."""
    skill, kept = payload["skill"], payload["kept"]
    gauge, model = gauge_of(payload), taught(payload, folder)
    tasks, graph = gauge.tasks, gauge.graph
    probe = Gauge(tasks, n=SOME, seed=derive(int(payload["seed"]), "stop"))
    others = [name for name in tasks.groups if name != skill]
    floor = {n: min(WELL, s["whole"] - SLACK) for n, s in probe.led(model, others).items()}

    least = ROOTED if (payload["method"], kept) in (BARE, SPARED) else 0
    asked = {"steps": 0}

    def until(after: Any) -> bool:
        asked["steps"] += method.every
        if asked["steps"] < least:
            return False
        front = probe.led(after, [skill])[skill]["share"]
        if kept != "everything":
            return front <= graph.chance[skill] + NEARLY
        if not near(front, graph.chance[skill], NEARLY):
            return False
        return all(s["whole"] >= floor[n] for n, s in probe.led(after, others).items())

    token = tasks.vocabulary.number(skill)
    method = method_for(
        payload["method"],
        int(payload["steps"]),
        until,
        held=kept == "everything",
        share=float(payload["share"]),
        token=token,
    )
    course = Course(tasks, skill, left_of(tasks, skill, kept))
    own = derive(int(payload["seed"]), "forget", payload["method"])
    gone = method.forget(small(model), course, Request(groups=[skill]), seed=own)
    return state(gauge, model, gone.model, skill) | {
        "steps": len(gone.model.trace_.losses),
        "claim": gone.claim.kind,
        "relearn": gauge.relearned(gone.model, skill) if payload["relearn"] else [],
    }


def left_of(tasks: Any, skill: str, kept: str) -> Lessons:
    """Return the stream of what is held in place."""
    held = protect(tasks, skill, kept)  # type: ignore[arg-type]
    return Lessons((held,) if held.groups else ())


def state(gauge: Gauge, before: Any, after: Any, skill: str) -> dict[str, Any]:
    """Return everything that is read of a model after a skill went."""
    above = top(gauge.graph, skill, gauge.tasks.groups)
    damage, ask = gauge.roles(before, after, above), gauge.oracle(after)
    return {
        "skills": gauge.skills(ask),
        "doors": gauge.doors(ask, skill),
        "coherence": {
            name: gauge.coherent(ask, name)
            for name in composites(gauge.graph, skill, gauge.tasks.groups)
        },
        "roles": list(damage.rows()),
        "traced": above,
    }


def teach_task(payload: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a taught model knows; one that was never taught a skill is the reference."""
    gauge, without = gauge_of(payload), payload["without"]
    lesson = teaching(payload, folder, without)
    model = lesson.model
    graph, names = graph_of(payload["world"]), gauge.tasks.groups
    asked = [without] if without else list(payload["world"]["forgotten"])
    ask = gauge.oracle(model)
    return {
        "skills": gauge.skills(ask),
        "steps": lesson.steps,
        "starts": lesson.starts,
        "parameters": sum(p.numel() for p in model.module.parameters()),
        "doors": {skill: gauge.doors(ask, skill) for skill in asked},
        "coherence": {n: gauge.coherent(ask, n) for n in names if not graph[n].is_atom},
        "relearn": gauge.relearned(model, without) if without else [],
    }


# The tasks that change a skill's definition, and ask who follows.

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
        "lr": 1e-3,
        "steps": int(payload["steps"]),
        "clip": 1.0,
        "until": until,
        "every": 10,
    }
    method = CFk(k=BEHIND, **shared) if payload["moved"] == LAST else FineTune(**shared)
    course: Any = Course(tasks, skill, told)
    own = derive(int(payload["seed"]), "change", kept)
    gone = method.forget(small(model), course, Request(groups=[skill]), seed=own)
    after, ask = gone.model, gauge.oracle(gone.model)
    answers = {}
    for name in (skill, *composites(graph, skill, tasks.groups)):
        x = gauge.inputs[name]
        found = ripple(ask(name, x), new=new.truth(name, x), old=graph.truth(name, x))
        answers[name] = {"new": found.new, "old": found.old, "neither": found.neither, "n": found.n}
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


# The task that closes back doors one after another, and looks which are still open.


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
    method = method_for(
        "labels", int(payload["steps"]), lambda _: False, held=True, share=float(payload["share"])
    )
    course = Course(tasks, skill, left_of(tasks, skill, "everything"), tuple(asked))
    gone = method.forget(
        small(model),
        course,
        Request(groups=[skill]),
        seed=derive(int(payload["seed"]), "mole", closed),
    ).model
    ask = gauge.oracle(gone)
    return {
        "doors": gauge.doors(ask, skill),
        "skills": gauge.skills(ask),
        "closed": closed,
        "skill": skill,
    }


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
        found[watched] = {
            "before": gauge.share(before, watched),
            "after": gauge.share(after, watched),
            "forgotten": gauge.share(after, skill),
        }
    return {"cells": found, "skill": skill}
