"""The audit of methods by arms of models: each unlearned from its own original, with controls."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from unteach.core import (
    BadInput,
    BudgetSpent,
    Progress,
    Records,
    Request,
    Stopwatch,
    derive,
    records_in,
)
from unteach.models import as_learner, as_trainable, keeping_classes

from .arms import Arms
from .bills import audit_bill, bill, costs_table
from .card import (
    OPERATOR,
    Goal,
    adaptive_of,
    card,
    definition_of,
    goal_of,
    reference_of,
    refusal_of,
    stored_of,
    threat_of,
)
from .grouped import Group, groups_of, named_methods
from .judged import Extras, Part, judge_parts
from .kept import kept_in
from .logits import must_learn_classes
from .made import Asked, Maker, asked
from .report import POLES, AuditReport
from .tiers import AuditPlan, models_of, plan_of

if TYPE_CHECKING:
    from unteach.store import Store


@overload
def run(
    methods: Any,
    learner: Any,
    records: Records,
    *,
    forget: Any,
    holdout: Records | None = None,
    tier: str = "standard",
    seed: int = 0,
    margin: float = 0.05,
    strata: Mapping[str, Any] | None = None,
    store: str | os.PathLike[str] | Store | None = None,
    dry: Literal[False] = False,
    jobs: int | None = None,
    permutations: int = 499,
    goal: Goal = "removal",
    progress: Progress | None = None,
) -> AuditReport: ...
@overload
def run(
    methods: Any,
    learner: Any,
    records: Records,
    *,
    forget: Any,
    holdout: Records | None = None,
    tier: str = "standard",
    seed: int = 0,
    margin: float = 0.05,
    strata: Mapping[str, Any] | None = None,
    store: str | os.PathLike[str] | Store | None = None,
    dry: Literal[True],
    jobs: int | None = None,
    permutations: int = 499,
    goal: Goal = "removal",
    progress: Progress | None = None,
) -> AuditPlan: ...
def run(
    methods: Any,
    learner: Any,
    records: Records,
    *,
    forget: Any,
    holdout: Records | None = None,
    tier: str = "standard",
    seed: int = 0,
    margin: float = 0.05,
    strata: Mapping[str, Any] | None = None,
    store: str | os.PathLike[str] | Store | None = None,
    dry: bool = False,
    jobs: int | None = None,
    permutations: int = 499,
    goal: Goal = "removal",
    progress: Progress | None = None,
) -> AuditReport | AuditPlan:
    """Audit methods against retraining with N originals, N unlearned and 2 N retrained models.

    Every method forgets from the same originals, each unlearned model from one of its own. Half
    of the retrained models are the reference, the other half the negative control, which must
    not be told from it; the originals are the positive control, which must be. Where either
    misbehaves the audit is invalid, and no method gets another verdict. A method whose
    certificate does not cover the request is reported as having refused it. One that forgets
    only from models learned its own way (`prepare`) has originals, retrained models and controls
    of its own, all learned that way; methods that prepare alike share them.

    Parameters
    ----------
    methods : one method, several, or a mapping from names
    learner : of classifiers; for `MLP` and `CNN` gradient methods act on a torch copy
    records : learned from · forget : ids, or a `Request` (whole groups, a change)
    holdout : seen by no model, which is checked (`unteach.core.unseen`); None holds out a fifth
        of what is kept (whole groups where groups are forgotten), from which then nothing learns
    tier : "screen" (1 model, no verdict), "quick" (16), "standard" (64), "strong" (128)
    margin : of the area under the curve within which a method counts as equivalent
    strata : name -> forgotten ids, tested on their own from 15 records on, beside the half of
        the records that the originals hold most above retraining
    store : a project (its folder, or a `Store`) where what the models said is kept until a purge,
        so that a run that ended goes on, and another method is compared with the same arms
    dry : only say what would be done; of each learner one model is learned, and forgets once by
        each method, for the time
    jobs : threads that learn side by side; compiled networks only
    permutations : of the exact test; raised where so many methods and strata are tested that an
        adjusted p-value of 5 % could not be reached
    goal : what was asked for; "suppression" is not what this audit measures, and its card says so

    Errors
    ------
    BadInput for what cannot be audited, and whatever learner and methods raise.

    Examples
    --------
    >>> from unteach.core import Exact, Forgotten
    >>> from unteach.data import memorable
    >>> from unteach.models import Logistic
    >>> class Nothing:
    ...     def forget(self, model, records, request, *, seed):
    ...         return Forgotten(model, Exact())            # a lie
    >>> world = memorable(0)
    >>> plan = run(Nothing(), Logistic(), world.records, forget=world.planted_ids, dry=True)
    >>> plan.trainings, plan.forgettings
    (192, 64)
    """
    if goal not in ("removal", "suppression"):
        raise BadInput(f"goal is 'removal' or 'suppression', got {goal!r}")
    if not hasattr(records, "ids"):
        raise BadInput(
            f"records is {type(records).__name__}; give Rows(ids, {{'x': X, 'y': y}}), so that "
            "what is forgotten has a name"
        )
    named = named_methods(methods)
    request = forget if isinstance(forget, Request) else Request(ids=forget)
    recipe = as_learner(learner)
    must_learn_classes(recipe)
    recipe = keeping_classes(recipe, records, request.applied_to(records))
    groups, count = groups_of(named, recipe), models_of(tier)
    used = [rows for method in named.values() for rows in records_in(method)]
    looked = asked(records, request, holdout, derive(seed, "asked"), used=used)
    if dry:
        return _dry(groups, looked, tier, seed)
    retrained = max(count, 2)
    steps = (count + 2 * retrained) * len(groups) + count * len(named)
    done = 0

    def tick(what: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, steps, what)

    with Stopwatch() as watch:
        parts, makers = [], []
        with ExitStack() as open_until:
            for group in groups:
                folder = open_until.enter_context(kept_in(store, looked, group.learner, seed))
                maker = Maker(looked, group.learner, seed, folder, jobs or 1, tick)
                original, unlearned, refused = maker.unlearned(group.methods, count)
                base = Arms(
                    original,
                    maker.arm("retrained", retrained),
                    twin=maker.arm("twin", retrained),
                    y=looked.y,
                    part=looked.part,
                    ids=looked.ids,
                    groups=looked.groups,
                    seeds=(seed,),
                )
                parts.append(Part(base, unlearned, group.label, refused))
                makers.append(maker)
        made = _Made(groups, makers, looked, parts, retrained, goal, store is not None)
        claims = {n: repr(m) for n, m in named.items()}
        report = judge_parts(
            parts,
            margin=margin,
            strata=strata,
            seed=seed,
            permutations=permutations,
            tier=tier,
            extras=Extras(made.costs(), claims, made.card()),
        )
    return replace(report, bills=(made.bill(), made.own_bill(watch)))


@dataclass(frozen=True)
class _Made:
    """What was made for an audit, and what of it the report says."""

    groups: Sequence[Group]
    makers: Sequence[Maker]
    asked: Asked
    parts: Sequence[Part]
    retrained: int
    goal: Goal
    kept: bool

    def costs(self) -> dict[str, Any]:
        """Return (cost, claim) of every forgetting, by method."""
        return {
            name: [(s.cost, s.claim) for s in maker.said[name]]
            for part, maker in zip(self.parts, self.makers, strict=True)
            for name in part.unlearned
        }

    def card(self) -> Any:
        """Return the claim card."""
        rows = []
        for group, part, maker in zip(self.groups, self.parts, self.makers, strict=True):
            kind = type(getattr(group.learner, "estimator", group.learner)).__name__
            plain = self._plain(maker)
            for name in group.methods:
                said = maker.said[name] if name in part.unlearned else []
                claims = [s.claim for s in said]
                rows.append(
                    {
                        "method": name,
                        "goal": goal_of(self.goal, self.asked.request.replace is not None),
                        "definition": refusal_of(part.refused[name])
                        if name in part.refused
                        else definition_of(claims),
                        "reference": reference_of(self.asked, kind, self.retrained),
                        "threat model": threat_of(len(said), self.retrained),
                        "adaptive": adaptive_of(claims),
                        "stored": stored_of(
                            said[0].state if said else None,
                            plain,
                            said[0].keeps if said else "",
                            self.kept,
                        ),
                        "operator": OPERATOR,
                    }
                )
        return card(rows)

    def bill(self) -> Any:
        """Return what each method took, beside retraining of the learner that was given."""
        rows = [bill(POLES[1], self.makers[0].said["retrained"], self._plain(self.makers[0]))]
        for group, part, maker in zip(self.groups, self.parts, self.makers, strict=True):
            for name in part.unlearned:
                said = maker.said[name]
                rows.append(bill(name, said, said[0].state, group.methods[name]))
        return costs_table(rows)

    def own_bill(self, watch: Stopwatch) -> Any:
        """Return what the audit itself took."""
        ran = [what for maker in self.makers for what in maker.ran]
        one = [s.cost.seconds for s in self.makers[0].said["retrained"]]
        return audit_bill(
            watch.cost(),
            ran.count("training"),
            ran.count("forgetting"),
            ran.count("reading"),
            float(np.median(one)),
        )

    def _plain(self, maker: Maker) -> int | None:
        """Return the bytes of a saved original, as it was learned."""
        return maker.said["original"][0].state


def _dry(groups: Sequence[Group], looked: Asked, tier: str, seed: int) -> AuditPlan:
    parts, refused = [], []
    for group in groups:
        learned, forgot, refusals = _once(group, looked, seed)
        parts.append((len(group.methods) - len(refusals), learned, forgot))
        refused += [f"{name}: {why}" for name, why in refusals.items()]
    return plan_of(tier, int(np.sum(looked.part == "forget")), parts, refused)


def _once(group: Group, looked: Asked, seed: int) -> tuple[float, float, dict[str, str]]:
    """Return the seconds of a training, and of a forgetting on average; and who refused."""
    model: Any = None
    refused: dict[str, str] = {}

    def learn() -> None:
        nonlocal model
        model = group.learner.learn(looked.rows, seed=derive(seed, "original", 0))

    def forget() -> None:
        for name, method in group.methods.items():
            one = as_trainable(model) if getattr(method, "needs", "") == "trainable" else model
            try:
                method.forget(one, looked.rows, looked.request, seed=derive(seed, "dry"))
            except BudgetSpent as refusal:
                refused[name] = str(refusal)

    learned, forgot = _timed(learn), _timed(forget)
    return learned, forgot / max(1, len(group.methods) - len(refused)), refused


def _timed(what: Callable[[], None]) -> float:
    """Return the seconds that something takes; what is quick is done again, without compiling."""
    seconds = math.inf
    while True:
        start = time.perf_counter()
        what()
        took = time.perf_counter() - start
        if seconds < math.inf or took > 30.0:
            return min(seconds, took)
        seconds = took
