"""The audit of methods by arms of models: each unlearned from its own original, with controls."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NeedsReference, Prepares, Progress, Records, Request, derive
from unteach.models import as_learner, as_trainable
from unteach.stats import holm

from .arms import Arms, Array
from .beyond import Sides, sides_of_retraining
from .fraction import Fractions, residual_fraction
from .judgement import LEVEL, Judgement, judge
from .made import Asked, Maker, asked, folder_for
from .report import AuditReport, MethodAudit
from .tiers import AuditPlan, models_of, plan_of
from .ulira import Ulira, ulira

STRATUM = 15  # records that a stratum must have to be tested on its own
CONTROL = 0.01  # chance that a sound audit is called invalid by its negative control


@overload
def run(
    methods: Any, learner: Any, records: Records, *, forget: Any, holdout: Records | None = None,
    tier: str = "standard", seed: int = 0, margin: float = 0.05,
    strata: Mapping[str, Any] | None = None, store: str | os.PathLike[str] | None = None,
    dry: Literal[False] = False, jobs: int | None = None, permutations: int = 499,
    progress: Progress | None = None,
) -> AuditReport: ...  # fmt: skip
@overload
def run(
    methods: Any, learner: Any, records: Records, *, forget: Any, holdout: Records | None = None,
    tier: str = "standard", seed: int = 0, margin: float = 0.05,
    strata: Mapping[str, Any] | None = None, store: str | os.PathLike[str] | None = None,
    dry: Literal[True], jobs: int | None = None, permutations: int = 499,
    progress: Progress | None = None,
) -> AuditPlan: ...  # fmt: skip
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
    store: str | os.PathLike[str] | None = None,
    dry: bool = False,
    jobs: int | None = None,
    permutations: int = 499,
    progress: Progress | None = None,
) -> AuditReport | AuditPlan:
    """Audit methods against retraining with N originals, N unlearned and 2 N retrained models.

    Every method forgets from the same originals, each unlearned model from one of its own. Half
    of the retrained models are the reference, the other half the negative control, which must
    not be told from it; the originals are the positive control, which must be. Where either
    misbehaves the audit is invalid, and no method gets another verdict.

    Parameters
    ----------
    methods : one method, several, or a mapping from names
    learner : of classifiers; for `MLP` and `CNN` gradient methods act on a torch copy
    records : learned from · forget : ids, or a `Request` (whole groups, a change)
    holdout : seen by no model; None holds out a fifth of what is kept (whole groups where groups
        are forgotten), from which then nothing learns
    tier : "screen" (1 model, no verdict), "quick" (16), "standard" (64), "strong" (128)
    margin : of the area under the curve within which a method counts as equivalent
    strata : name -> forgotten ids, tested on their own from 15 records on, beside the half of
        the records that the originals hold most above retraining
    store : a folder where what the models said is kept, so that a run that ended goes on, and
        another method is compared with the same arms; it holds ids, logits and no row
    dry : only say what would be done; one model is learned, and forgets once, for the time
    jobs : threads that learn side by side; compiled networks only
    permutations : of the exact test; raised where so many methods and strata are tested that an
        adjusted p-value of 5 % could not be reached

    Errors
    ------
    BadInput for a method that prepares its own learner (give learner=method.prepare(learner)),
    and whatever learner and methods raise.

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
    named = _named(methods)
    request = forget if isinstance(forget, Request) else Request(ids=forget)
    recipe, count = as_learner(learner), models_of(tier)
    looked = asked(records, request, holdout, derive(seed, "asked"))
    if dry:
        return _dry(named, recipe, looked, tier, seed)
    retrained = max(count, 2)
    steps = count + 2 * retrained + count * len(named)
    done = 0

    def tick(what: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, steps, what)

    maker = Maker(looked, recipe, seed, folder_for(store, looked, recipe, seed), jobs or 1, tick)
    base = Arms(
        maker.arm("original", count), maker.arm("retrained", retrained),
        twin=maker.arm("twin", retrained), y=looked.y, part=looked.part, ids=looked.ids,
        groups=looked.groups, seeds=(seed,),
    )  # fmt: skip
    unlearned = {name: maker.forgot(name, method, count) for name, method in named.items()}
    return audit_arms(
        base, unlearned, margin=margin, strata=strata, seed=seed, permutations=permutations,
        costs=maker.costs, tier=tier, claims={n: repr(m) for n, m in named.items()},
    )  # fmt: skip


def audit_arms(
    base: Arms,
    unlearned: Mapping[str, Any],
    *,
    margin: float = 0.05,
    strata: Mapping[str, Any] | None = None,
    seed: int = 0,
    permutations: int = 499,
    costs: Mapping[str, Any] | None = None,
    tier: str = "",
    claims: Mapping[str, str] | None = None,
) -> AuditReport:
    """Audit arms that exist already: models of the user's own, whatever they are.

    Parameters
    ----------
    base : original, retrained and twin arms; `unlearned` is not read
    unlearned : method -> logits (N, q, k), model j unlearned from original j
    margin, strata, seed, permutations : as in `run`

    Examples
    --------
    >>> from unteach.core import stream
    >>> rng = stream(0)
    >>> y, part = np.zeros(40, int), ["forget"] * 20 + ["holdout"] * 20
    >>> def arm(shift):
    ...     z = rng.normal(size=(16, 40, 2))
    ...     z[:, :20, 0] += shift
    ...     return z
    >>> base = Arms(arm(8), arm(0), twin=arm(0), y=y, part=part)
    >>> found = audit_arms(base, {"nothing": base.original, "again": arm(0), "deny": arm(-8)},
    ...                    permutations=199)
    >>> found.valid, [found[m].judgement.kind for m in ("nothing", "deny")]
    (True, ['distinguishable', 'over-forgotten'])
    >>> found["again"].verdict
    'inconclusive (smallest detectable area ...)'
    """
    arms = {name: _with(base, said) for name, said in unlearned.items()}
    if len(base.original) < 4 or len(base.retrained) < 4:
        return AuditReport.screened(base, arms, costs or {}, tier)
    chosen = _strata(base, strata)
    # the smallest p-value is 1 / (permutations + 1), and Holm multiplies it by the tests
    permutations = max(permutations, 20 * len(arms) * len(chosen) - 1)
    everyone = {**arms, "do nothing": base.instead("original"), "retrain": base.instead("twin")}
    tests = {
        name: {
            stratum: ulira(
                one.margins("unlearned")[:, at], one.margins("retrained")[:, at], level=LEVEL,
                seed=derive(seed, name, stratum), permutations=permutations,
            )
            for stratum, at in chosen.items()
        }
        for name, one in everyone.items()
    }  # fmt: skip
    adjusted = _adjusted({n: t for n, t in tests.items() if n in arms})
    fractions = {name: _fractions(one, seed) for name, one in everyone.items()}
    validity = _validity(tests, len(chosen))
    judged = {
        name: judge(
            tests[name], adjusted[name], fractions[name], margin=margin, sides=_sides(arms[name])
        )
        if validity == "valid"
        else Judgement("invalid", validity, min(adjusted[name].values()))
        for name in arms
    }
    audits = {
        name: MethodAudit(
            name, everyone[name], tests[name], fractions[name], judged.get(name),
            tuple((costs or {}).get(name, ())), (claims or {}).get(name, ""),
        )
        for name in everyone
    }  # fmt: skip
    return AuditReport(audits, validity, base, margin, chosen, tier, seed)


def _with(base: Arms, said: Any) -> Arms:
    return Arms(
        base.original, base.retrained, said, base.twin, base.y, base.part, base.ids, base.groups,
        base.seeds,
    )  # fmt: skip


def _named(methods: Any) -> dict[str, Any]:
    if isinstance(methods, Mapping):
        named = dict(methods)
    else:
        several = list(methods) if isinstance(methods, Sequence) else [methods]
        kinds = [_name(m) for m in several]
        named = {
            k if kinds.count(k) == 1 else repr(m): m for k, m in zip(kinds, several, strict=True)
        }
        if len(named) < len(several):
            raise BadInput("the same method is given twice; name methods by a mapping")
    for name, method in named.items():
        if not callable(getattr(method, "forget", None)):
            raise BadInput(f"{name} has no forget(model, records, request, *, seed); see `method`")
        if isinstance(method, Prepares):
            raise BadInput(
                f"{name} forgets only from models learned its own way: audit it alone, with "
                "learner=method.prepare(learner), so that all arms are learned that way"
            )
    if not named or {"do nothing", "retrain"} & set(named):
        raise BadInput("name at least one method; 'retrain' and 'do nothing' are the controls'")
    return named


def _name(method: Any) -> str:
    kind = type(method).__name__
    return repr(method) if kind == "ByFunction" else kind


def _dry(named: dict[str, Any], recipe: Any, looked: Asked, tier: str, seed: int) -> AuditPlan:
    model: Any = None

    def learn() -> None:
        nonlocal model
        model = recipe.learn(looked.rows, seed=derive(seed, "original", 0))

    def forget() -> None:
        for method in named.values():
            one = as_trainable(model) if getattr(method, "needs", "") == "trainable" else model
            method.forget(one, looked.rows, looked.request, seed=derive(seed, "dry"))

    learned, forgot = _timed(learn), _timed(forget) / len(named)
    targets = int(np.sum(looked.part == "forget"))
    return plan_of(tier, targets, len(named), learned, forgot)


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


def _strata(base: Arms, strata: Mapping[str, Any] | None) -> dict[str, NDArray[np.int64]]:
    """Return which forgotten records each test is made on; the twins say what was memorized."""
    ids = base.named("forget")
    chosen: dict[str, NDArray[np.int64]] = {"all": np.arange(len(ids))}
    if len(ids) >= 2 * STRATUM:
        before, twin = base.margins("original"), base.margins("twin")
        spread = np.sqrt(before.var(axis=0) + twin.var(axis=0)) + 1e-12
        mark = (before.mean(axis=0) - twin.mean(axis=0)) / spread
        chosen["most memorized half"] = np.sort(np.argsort(-mark, kind="stable")[: len(ids) // 2])
    for name, members in (strata or {}).items():
        at = np.flatnonzero(np.isin(ids, np.asarray(list(members))))
        if len(at) < STRATUM:
            raise BadInput(
                f"stratum {name!r} has {len(at)} forgotten records; {STRATUM} are needed"
            )
        chosen[name] = at
    return chosen


def _adjusted(tests: Mapping[str, Mapping[str, Ulira]]) -> dict[str, dict[str, float]]:
    """Return Holm's p-values over all methods and strata of the audit."""
    keys = [(name, stratum) for name, found in tests.items() for stratum in found]
    if not keys:
        return {}
    values: Array = holm([tests[n][s].p_value for n, s in keys])
    out: dict[str, dict[str, float]] = {name: {} for name in tests}
    for (name, stratum), p in zip(keys, values, strict=True):
        out[name][stratum] = float(p)
    return out


def _fractions(one: Arms, seed: int) -> Fractions | None:
    try:
        return residual_fraction(
            one.margins("unlearned"), one.margins("retrained"), one.margins("original"),
            twin=one.margins("twin"), seed=derive(seed, "fractions"),
        )  # fmt: skip
    except NeedsReference:
        return None


def _sides(one: Arms) -> Sides:
    return sides_of_retraining(
        one.margins("unlearned"), one.margins("retrained"), one.margins("original")
    )


def _validity(tests: Mapping[str, Mapping[str, Ulira]], strata: int) -> str:
    """Return "valid", or how the controls misbehave."""
    negative = min(t.p_value for t in tests["retrain"].values())
    if negative <= CONTROL / strata:
        return (
            f"audit invalid: retraining is told from retraining (p {negative:.3g}); the models "
            "are not independent, or the arms were not trained alike"
        )
    if min(t.p_value for t in tests["do nothing"].values()) > 0.05 / strata:
        return (
            "audit invalid: doing nothing cannot be told from retraining; forget records that "
            "were memorized, or train more models"
        )
    return "valid"
