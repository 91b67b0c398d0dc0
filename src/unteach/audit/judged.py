"""From arms to verdicts: one test a method and stratum, adjusted together, under two controls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NeedsReference, Table, derive
from unteach.stats import holm

from .arms import Arms, Array
from .beyond import Sides, sides_of_retraining
from .card import card_of_arms
from .fraction import Fractions, residual_fraction
from .judgement import LEVEL, Judgement, judge
from .report import POLES, AuditReport, MethodAudit
from .ulira import Ulira, ulira

STRATUM = 15  # records that a stratum must have to be tested on its own
CONTROL = 0.01  # chance that a sound audit is called invalid by its negative control


@dataclass(frozen=True)
class Part:
    """Arms of one learner, and the methods that forgot from its originals.

    label : whose own learner it is; "" for the learner that was given
    refused : method -> why it made nothing of them
    """

    base: Arms
    unlearned: Mapping[str, Any]
    label: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def poles(self) -> tuple[str, str]:
        """What its two controls are called."""
        own = f" ({self.label})" if self.label else ""
        return (POLES[0] + own, POLES[1] + own)


@dataclass(frozen=True)
class Extras:
    """What a report says besides: costs and claims by method, and the card."""

    costs: Mapping[str, Any]
    claims: Mapping[str, str]
    card: Table | None = None


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
    part = Part(base, unlearned)
    extras = Extras(costs or {}, claims or {}, card_of_arms(base, list(unlearned)))
    return judge_parts(
        [part],
        margin=margin,
        strata=strata,
        seed=seed,
        permutations=permutations,
        tier=tier,
        extras=extras,
    )


def judge_parts(
    parts: Sequence[Part],
    *,
    margin: float,
    strata: Mapping[str, Any] | None,
    seed: int,
    permutations: int,
    tier: str,
    extras: Extras,
) -> AuditReport:
    """Return the report of several learners' arms; all p-values are adjusted together."""
    if any(len(p.base.original) < 4 or len(p.base.retrained) < 4 for p in parts):
        return _screened(parts, tier, seed, extras)
    chosen = {p.label: _strata(p.base, strata) for p in parts}
    least = sum(len(p.unlearned) * len(chosen[p.label]) for p in parts)
    among = {p.label: len(chosen[p.label]) * len(parts) for p in parts}
    # the smallest p-value is 1 / (permutations + 1): Holm multiplies it by the tests, and the
    # negative control must be able to fall below its own level
    control = math.ceil(max(among.values()) / CONTROL)
    permutations = max(permutations, 20 * least - 1, control - 1)
    everyone = {p.label: _everyone(p) for p in parts}
    tests = {
        name: {
            stratum: ulira(
                one.margins("unlearned")[:, at],
                one.margins("retrained")[:, at],
                level=LEVEL,
                seed=derive(seed, name, stratum),
                permutations=permutations,
            )
            for stratum, at in chosen[p.label].items()
        }
        for p in parts
        for name, one in everyone[p.label].items()
    }
    adjusted = _adjusted({n: tests[n] for p in parts for n in p.unlearned})
    said: list[str] = []
    audits: dict[str, MethodAudit] = {}
    for p in parts:
        valid = _validity(tests, p.poles, among[p.label])
        said.append(valid)
        for name, one in everyone[p.label].items():
            fractions = _fractions(one, seed)
            judgement = None
            if name in p.unlearned:
                judgement = (
                    judge(tests[name], adjusted[name], fractions, margin=margin, sides=_sides(one))
                    if valid == "valid"
                    else Judgement("invalid", valid, min(adjusted[name].values()))
                )
            audits[name] = _found(name, one, tests[name], fractions, judgement, p, extras)
        audits.update(_refusals(p, extras))
    order = [n for p in parts for n in (*p.unlearned, *p.refused)]
    order += [n for p in parts for n in p.poles]
    wrong = [
        v if not p.label else f"{v} (with the learner of {p.label})"
        for p, v in zip(parts, said, strict=True)
        if v != "valid"
    ]
    return AuditReport(
        {n: audits[n] for n in order},
        "; ".join(wrong) or "valid",
        parts[0].base,
        margin,
        chosen[parts[0].label],
        tier,
        seed,
        extras.card,
    )


def _screened(parts: Sequence[Part], tier: str, seed: int, extras: Extras) -> AuditReport:
    """Return the report of too few models for any verdict: accuracies and nothing more."""
    why = "a screen: so few models allow no verdict"
    audits = {}
    for p in parts:
        for name, said in p.unlearned.items():
            one = replace(p.base, unlearned=said)
            audits[name] = _found(
                name, one, {}, None, Judgement("inconclusive", why, None), p, extras
            )
    for p in parts:
        audits.update(_refusals(p, extras))
        nothing = p.base.instead("original")
        audits[p.poles[0]] = _found(p.poles[0], nothing, {}, None, None, p, extras)
    return AuditReport(audits, why, parts[0].base, tier=tier, seed=seed, card=extras.card)


def _refusals(part: Part, extras: Extras) -> dict[str, MethodAudit]:
    """Return the methods of a part that refused: they have no models, and nothing was tested."""
    return {
        name: _found(
            name, part.base, {}, None, Judgement("refused", f"refused ({why})", None), part, extras
        )
        for name, why in part.refused.items()
    }


def _found(
    name: str,
    one: Arms,
    tests: Mapping[str, Ulira],
    fractions: Fractions | None,
    judgement: Judgement | None,
    part: Part,
    extras: Extras,
) -> MethodAudit:
    return MethodAudit(
        name,
        one,
        tests,
        fractions,
        judgement,
        tuple(extras.costs.get(name, ())),
        extras.claims.get(name, ""),
        part.poles,
    )


def _everyone(part: Part) -> dict[str, Arms]:
    """Return the arms of each method of a part, and of its controls."""
    arms = {name: replace(part.base, unlearned=said) for name, said in part.unlearned.items()}
    both = zip(part.poles, ("original", "twin"), strict=True)
    return {**arms, **{name: part.base.instead(arm) for name, arm in both}}


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
        wanted = np.asarray(list(members))
        strange = wanted[~np.isin(wanted, ids)]
        if len(strange):
            raise BadInput(
                f"stratum {name!r} names {len(strange)} of {len(wanted)} records that are not "
                "forgotten; name forgotten ones, by their ids"
            )
        at = np.flatnonzero(np.isin(ids, wanted))
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
            one.margins("unlearned"),
            one.margins("retrained"),
            one.margins("original"),
            twin=one.margins("twin"),
            seed=derive(seed, "fractions"),
        )
    except NeedsReference:
        return None


def _sides(one: Arms) -> Sides:
    return sides_of_retraining(
        one.margins("unlearned"), one.margins("retrained"), one.margins("original")
    )


def _validity(tests: Mapping[str, Mapping[str, Ulira]], poles: tuple[str, str], among: int) -> str:
    """Return "valid", or how the controls misbehave; `among` so many tests of each."""
    nothing, again = poles
    negative = min(t.p_value for t in tests[again].values())
    if negative <= CONTROL / among:
        return (
            f"audit invalid: retraining is told from retraining (p {negative:.3g}); the models "
            "are not independent, or the arms were not trained alike"
        )
    if min(t.p_value for t in tests[nothing].values()) > 0.05 / among:
        return (
            "audit invalid: doing nothing cannot be told from retraining; forget records that "
            "were memorized, or train more models"
        )
    return "valid"
