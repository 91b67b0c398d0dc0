"""One task: a small model learns a family, forgets in every way, and is asked what is left."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from unteach.core import derive
from unteach.knowledge import (
    Answers,
    Fact,
    Interrogation,
    direct_answers,
    interrogate,
    plan,
    printed_reasons,
    relearn_curve,
)
from unteach.models import SequenceModel, Training, fit

from .taught import arm_lists, carry_out, learn, taught
from .world import ARMS, World, as_tree, world

RELEARN = Training(epochs=40, lr=5e-4, optimizer="adam", clip=1.0)
STEP = 4  # steps of relearning between two readings


def neural_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what every arm gives away, the exact front, relearning, and one leak as a tree."""
    form, seed = payload["form"], derive(payload["seed"], "family", payload["draw"])
    here = world(payload["clans"], payload["share"], seed)
    before = learn(here, taught(here, form), seed=derive(seed, form))
    models: dict[str, SequenceModel] = {"before": before}
    steps: dict[str, Any] = {"before": before.trace_.steps}
    done: dict[str, bool] = {}
    for arm in ARMS:
        models[arm], steps[arm], done[arm] = carry_out(
            before, here, arm_lists(here, form, arm), seed=derive(seed, form, arm)
        )
    models["never"] = learn(here, arm_lists(here, form, "planned"), seed=derive(seed, form, "n"))
    asked = {arm: ask(model, here, form) for arm, model in models.items()}
    found: dict[str, Any] = {
        "people": here.say.names,
        "stated": len(here.kb.facts),
        "conclusions": len(here.conclusions),
        "forget": len(here.forget),
        "preserve": len(here.preserve),
        "removed": len(here.plan.remove),
        "lost": len(here.plan.lost),
        "steps": steps,
        "done": done,
        "arms": {arm: measured(heard, here) for arm, heard in asked.items()},
        "front": front(here),
        "relearn": {
            arm: relearned(models[arm], here, derive(seed, form, "relearn"))
            for arm in ("premises", "protected", "planned", "never")
        },
    }
    if form == "statements":
        found["leak"] = leak(asked["protected"], here)
    else:
        found["traces"] = traces({a: models[a] for a in ("before", "protected", "planned")}, here)
    return found


def ask(model: SequenceModel, here: World, form: str) -> Interrogation:
    """Ask a model for everything in its family, by reasoning too where it was taught to."""
    reasons = printed_reasons(model, here.say) if form == "traces" else None
    return interrogate(
        here.kb, direct_answers(model, here.say), here.forget, here.preserve, reasons=reasons
    )


def measured(heard: Interrogation, here: World) -> dict[str, float]:
    """Return the numbers of one model; shares, and probabilities in units of chance."""
    gone = {*here.plan.forget, *here.plan.remove, *here.plan.lost}
    outside = [f for f in sorted(here.kb.closure()) if f not in gone]
    others = [f for f in here.kb.facts if f not in set(here.forget)]

    def said(fact: Fact) -> bool:
        return heard.recalled(fact) or heard.reached(fact)

    chance = 1.0 / here.say.names
    return {
        "recalled": heard.share(heard.recalled, here.forget),
        "deducible": heard.share(heard.deducible, here.forget),
        "strength": heard.strength,
        "over chance": float(np.mean([heard.direct[f] for f in here.forget])) / chance,
        "preserved": heard.share(said, here.preserve),
        "preserved directly": heard.share(heard.recalled, here.preserve),
        "outside the plan": heard.share(said, outside),
        "stated kept": heard.share(heard.recalled, others),
        "recites": len(heard.recites()) / len(here.preserve),
        "printed": heard.share(heard.printed, here.forget),
    }


def front(here: World) -> list[list[float]]:
    """Return the exact optimum for the first 0, 1, ... premises: (deducible, stated kept)."""
    kb, others = here.kb, len(here.kb.facts) - len(here.forget)
    points = [[1.0, 1.0]]
    for k in range(1, len(here.forget) + 1):
        best = plan(kb, here.forget[:k], here.preserve)
        left = kb.graph.closure(
            a
            for a in [kb.graph.index[f] for f in (*kb.facts, *here.preserve)]
            if kb.graph.atoms[a] not in set(best.remove)
        )
        deducible = sum(kb.graph.index[f] in left for f in here.forget) / len(here.forget)
        kept = sum(f not in set(best.remove) for f in kb.facts if f not in set(here.forget))
        points.append([deducible, kept / others])
    return points


def relearned(model: SequenceModel, here: World, seed: int) -> dict[str, list[float]] | None:
    """Return how the premises come back while those about some fathers are taught again.

    No father is in both halves, or naming him once would give his other children away. None
    where all premises are about one father.
    """
    fathers = sorted({f[2] for f in here.forget})
    first = set(fathers[: (len(fathers) + 1) // 2])
    taught_again = [f for f in here.forget if f[2] in first]
    held = [f for f in here.forget if f[2] not in first]
    if not held:
        return None
    curve = relearn_curve(_lessons(model, here, seed), taught_again, held)
    return {name: list(values) for name, values in curve.columns.items()}


def _lessons(
    model: SequenceModel, here: World, seed: int
) -> Callable[[Sequence[Fact]], Iterator[tuple[int, Answers]]]:
    """Return lessons for a copy of the model: steps on the taught facts alone."""

    def lessons(facts: Sequence[Fact]) -> Iterator[tuple[int, Answers]]:
        pupil = copy.deepcopy(model)
        yield 0, direct_answers(pupil, here.say)
        batch = pupil.batch(here.say.direct(facts))
        stages = [copy.deepcopy(pupil)]

        def keep(moment: Any) -> None:
            if moment.step % STEP == 0:
                stages.append(copy.deepcopy(pupil))

        fit(
            pupil,
            lambda rng: [batch],
            lambda b: pupil.losses(b).mean(),
            RELEARN,
            seed=seed,
            callbacks=[keep],
        )
        for k, stage in enumerate(stages[1:], 1):
            yield k * STEP, direct_answers(stage.train(False), here.say)

    return lessons


def leak(heard: Interrogation, here: World) -> dict[str, Any] | None:
    """Return the derivation of a forgotten premise with the most steps below four, as a tree."""
    proofs = [heard.deduction.proof(f) for f in here.forget if heard.deducible(f)]
    found = [p for p in proofs if p is not None and p.kind == "step"]
    if not found:
        return None
    chosen = max(found, key=lambda p: p.steps if p.steps < 4 else -p.steps)
    return as_tree(chosen, forgotten=here.forget)


def traces(models: dict[str, SequenceModel], here: World) -> list[dict[str, Any]]:
    """Return what each model prints when it is asked for one preserved conclusion."""
    asked = here.preserve[:1]
    rows = []
    for arm, model in models.items():
        prompt = here.say.prompts(asked, think=True)
        words = here.say.words(model.predict(prompt)[0])
        direct = float(direct_answers(model, here.say)(asked)[0])
        rows.append(
            {
                "arm": arm,
                "asked": f"{asked[0][0]} of {asked[0][1]}",
                "prints": " ".join(w for w in words if w != "end"),
                "right": asked[0][2],
                "direct": direct,
            }
        )
    return rows
