"""The laws of methods whose claim is certified."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from scipy.stats import beta, norm, shapiro

from unteach.core import BudgetSpent, Heuristic, NoRoute, Request
from unteach.models import parameters
from unteach.unlearn import gaussian_delta

from .law import LawBroken, demand, law
from .method_bench import MethodBench


def _with(bench: MethodBench, **parameters: float) -> MethodBench:
    """Return the bench for the same method with other parameters."""
    try:
        method = dataclasses.replace(bench.method, **parameters)
    except TypeError as error:
        raise LawBroken(
            f"A certified method is a dataclass with epsilon, delta and sigma: {error}"
        ) from error
    return MethodBench(method, method.prepare(None), bench.world, bench.seed)


def _ledger(model: Any) -> Any:
    ledger = getattr(model, "ledger_", None)
    if ledger is None or not all(hasattr(ledger, n) for n in ("spent", "budget")):
        raise LawBroken("A certified model carries a ledger_ with spent and budget.")
    return ledger


def _allowed(bench: MethodBench, most: int = 50) -> int:
    """Return how many single requests the certificate grants before it refuses."""
    try:
        model = bench.learned(bench.records)
    except BudgetSpent:
        return 0
    left = bench.records
    for k, identifier in enumerate(bench.records.ids[:most].tolist()):
        try:
            gone = bench.method.forget(model, left, Request(ids=[identifier]), seed=bench.seed)
        except BudgetSpent:
            return k
        model, left = gone.model, left.without([identifier])
    return most


@law
def budget_is_spent_and_never_refunded(bench: MethodBench) -> None:
    """The ledger grows at every request, and holds no request beyond its budget."""
    model, left = bench.model(), bench.records
    last = _ledger(model).spent
    demand(last > 0, "Training is not on the ledger: its residual counts too.")
    for identifier in bench.world.planted.tolist():
        try:
            gone = bench.method.forget(model, left, Request(ids=[identifier]), seed=bench.seed)
        except BudgetSpent:
            return
        model, left = gone.model, left.without([identifier])
        spent = _ledger(model).spent
        demand(spent > last, f"Spent went from {last:.3g} to {spent:.3g} at a request.")
        last = spent


@law
def refuses_beyond_the_budget(bench: MethodBench) -> None:
    """With a budget a million times smaller the first request is refused by BudgetSpent."""
    poor = _with(bench, epsilon=bench.method.epsilon * 1e-6)
    granted = _allowed(poor, most=3)
    demand(granted == 0, f"{granted} requests were granted on a budget that covers none.")


@law
def stricter_is_never_easier(bench: MethodBench) -> None:
    """A smaller epsilon, or a smaller delta, never grants more requests or a larger budget."""
    for name, values in (("epsilon", (4.0, 1.0, 0.25, 0.06)), ("delta", (1e-2, 1e-4, 1e-8))):
        budgets, granted = [], []
        for value in values:
            easier = _with(bench, **{name: value})
            try:
                budgets.append(_ledger(easier.learned(easier.records)).budget)
            except BudgetSpent:
                budgets.append(0.0)
            granted.append(_allowed(easier))
        demand(
            budgets == sorted(budgets, reverse=True) and granted == sorted(granted, reverse=True),
            f"As {name} falls over {values}, budgets go {budgets} and grants {granted}.",
        )


@law
def no_noise_no_certificate(bench: MethodBench) -> None:
    """Without noise the claim is heuristic."""
    bare = _with(bench, sigma=0.0)
    try:
        claim = bare.forget().claim
    except LawBroken:
        return
    demand(isinstance(claim, Heuristic), f"With sigma = 0 the claim is {claim}.")


@law
def bound_holds_the_residual(bench: MethodBench) -> None:
    """What is spent is never less than the gradient that is really left."""
    model, left = bench.model(), bench.records
    for identifier in bench.world.planted.tolist():
        try:
            gone = bench.method.forget(model, left, Request(ids=[identifier]), seed=bench.seed)
        except BudgetSpent:
            return
        model, left = gone.model, left.without([identifier])
        ledger = _ledger(model)
        residual = getattr(ledger, "residual", 0.0)
        demand(
            residual <= ledger.spent,
            f"The residual is {residual:.3g} and only {ledger.spent:.3g} is accounted for.",
        )


def _largest_granted(bench: MethodBench) -> Request:
    """Return the largest request that is granted, of records that all pull one way.

    Those with the largest targets: what they pull adds up, so that a model which still holds
    them stands out even behind much noise.
    """
    records = bench.records
    ids = records.ids[np.argsort(-np.asarray(records.y), kind="stable")]
    for size in (len(ids) // 4, len(ids) // 16, len(ids) // 64):
        request = Request(ids=ids[:size])
        try:
            bench.method.forget(bench.model(), records, request, seed=bench.seed)
        except (BudgetSpent, NoRoute):
            continue
        if size > len(bench.world.planted):
            return request
    return bench.request


@law
def measured_epsilon_stays_under_the_claim(bench: MethodBench) -> None:
    """An attack on many models measures no more epsilon, and no more delta, than was claimed.

    300 models that forgot the largest request that is granted, and 300 retrained ones, each
    with noise of its own. The direction that tells them apart, and the threshold, are chosen on
    one half and tried on the other. Two bounds, each at 99.9 %: the errors of the attack, by
    Clopper-Pearson, whatever the noise; and where both arms look Gaussian, how far their means
    are apart in the standard deviations of the wider one, which shows a delta that no count of
    a few hundred could (Balle and Wang 2018, theorem 8). Nothing that the method says of itself
    is used.
    """
    n, request = 300, _largest_granted(bench)
    rest = request.applied_to(bench.records)
    arms: tuple[list[Any], list[Any]] = ([], [])
    for k in range(n):
        try:
            own = bench.learner.learn(bench.records, seed=2 * k)
            gone = bench.method.forget(own, bench.records, request, seed=2 * k)
        except (BudgetSpent, NoRoute):
            continue
        arms[0].append(parameters(gone.model))
        arms[1].append(parameters(bench.learner.learn(rest, seed=2 * k + 1)))
    if len(arms[0]) < n // 2:
        return
    one, two = np.array(arms[0]), np.array(arms[1])  # (n, p)
    half = len(one) // 2
    pooled = np.cov(np.vstack([one[:half] - one[:half].mean(0), two[:half] - two[:half].mean(0)]).T)
    pooled = np.atleast_2d(pooled) + 1e-12 * np.trace(np.atleast_2d(pooled)) * np.eye(one.shape[1])
    way = np.linalg.solve(pooled, one[:half].mean(0) - two[:half].mean(0))
    middle = float(np.median(np.concatenate([one[:half] @ way, two[:half] @ way])))
    forgot, retrained = one[half:] @ way, two[half:] @ way  # (n - half,)
    epsilon = _epsilon_floor(
        int((forgot <= middle).sum()),
        int((retrained > middle).sum()),
        len(forgot),
        bench.method.delta,
    )
    claimed = bench.method.epsilon
    demand(
        epsilon <= claimed,
        f"{len(rest.ids)} records left: measured epsilon is at least {epsilon:.3g}; claimed "
        f"{claimed:.3g}.",
    )
    shift = _shift_floor(forgot, retrained)
    delta = gaussian_delta(claimed, shift)
    demand(
        delta <= bench.method.delta,
        f"Forgotten and retrained are at least {shift:.3g} standard deviations of the noise "
        f"apart: at epsilon {claimed:.3g} delta is {delta:.3g}; claimed {bench.method.delta:.3g}.",
    )


def _shift_floor(one: Any, two: Any, error: float = 1e-3) -> float:
    """Return a lower bound of how many standard deviations two Gaussian samples are apart.

    0 where one of them does not look Gaussian, since the bound of delta would not hold.

    >>> rng = np.random.default_rng(0)
    >>> 1.5 < _shift_floor(rng.normal(2.0, size=200), rng.normal(size=200)) < 2.0
    True
    """
    if min(shapiro(one).pvalue, shapiro(two).pvalue) < error:
        return 0.0
    wide = max(float(np.std(one, ddof=1)), float(np.std(two, ddof=1)))
    shift = float(one.mean() - two.mean()) / wide
    deviation = math.sqrt(1 / len(one) + 1 / len(two) + shift**2 / (2 * len(one)))
    return max(0.0, shift - float(norm.ppf(1 - error)) * deviation)


def _epsilon_floor(missed: int, alarm: int, n: int, delta: float, error: float = 1e-3) -> float:
    """Return the lower bound of epsilon that the errors of an attack prove (Clopper-Pearson)."""
    high = [
        1.0 if k == n else float(beta.ppf(1 - error / 2, k + 1, n - k)) for k in (missed, alarm)
    ]
    best = 0.0
    for a, b in (high, high[::-1]):
        if 1 - delta - a > 0:
            best = max(best, math.log((1 - delta - a) / b))
    return best


CERTIFIED_LAWS = (
    budget_is_spent_and_never_refunded,
    refuses_beyond_the_budget,
    stricter_is_never_easier,
    no_noise_no_certificate,
    bound_holds_the_residual,
    measured_epsilon_stays_under_the_claim,
)
