"""The laws of metrics: a forgetting metric must put the truth first, and show its null."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from unteach.core import Claim, Exact, Heuristic, NeedsReference, Reading, stream

from .law import LawBroken, demand, law
from .metric_bench import MetricBench, agreeing_case


def _alike(one: float, two: float) -> bool:
    return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-12)


def badness(reading: Reading) -> float:
    """Return how far a reading is from ideal, 0 being best."""
    if reading.better == "higher":
        return -reading.value
    return abs(reading.value) if reading.better == "zero" else reading.value


def reach(reading: Reading) -> float:
    """Return the worst badness that retraining itself shows, by the null."""
    low, high = reading.null or (0.0, 0.0)
    if reading.better == "higher":
        return -low
    return max(abs(low), abs(high)) if reading.better == "zero" else high


@law
def name_and_role_are_stated(bench: MetricBench) -> None:
    """A metric has a name and one of the four roles."""
    roles = ("forgetting", "screen", "utility", "ledger")
    name, role = getattr(bench.metric, "name", ""), getattr(bench.metric, "role", None)
    demand(bool(name) and role in roles, f"name={name!r}, role={role!r}; roles are {roles}.")


@law
def reading_is_whole(bench: MetricBench) -> None:
    """A reading has an interval, and for a forgetting metric `untouched`, `null` and `limit`."""
    reading = bench.pole()
    demand(math.isfinite(reading.value), f"The value is {reading.value}.")
    demand(reading.unit_of_replication != "", "It does not say over what the interval ranges.")
    if bench.forgets:
        missing = [n for n in ("untouched", "null", "limit") if getattr(reading, n) is None]
        demand(not missing, f"A forgetting metric's reading lacks {missing}.")
        # a limit that is reached is reached with rounding
        limit = (reading.limit or 0.0) * (1 + 1e-9) + 1e-12
        for name, size in (("value", reading.value), ("untouched", reading.untouched or 0.0)):
            demand(
                abs(size) <= limit,
                f"Its {name} is {size:.4g} where the largest that it can show is {reading.limit}.",
            )


@law
def interval_ranges_over_replicates(bench: MetricBench) -> None:
    """N and the seeds are those of the case's replicates, and the interval shows their spread."""
    case, reading = bench.case(), bench.pole()

    def halves() -> list[float]:
        middle = len(case.trials) // 2
        parts = (case.trials[:middle], case.trials[middle:])
        return [bench.read(replace(case, trials=part)).value for part in parts]

    own = reading.unit_of_replication == case.unit_of_replication
    # where all draws read the same, an interval over another unit, named as such, says more
    demand(
        set(reading.seeds) == set(case.seeds)
        and (reading.n == len(case.trials) if own else _alike(*halves())),
        f"n={reading.n} {reading.unit_of_replication} and seeds {reading.seeds} for a case of "
        f"{len(case.trials)} {case.unit_of_replication}.",
    )
    demand(
        reading.high > reading.low or _alike(*halves()),
        "The interval has no width, and two halves of the draws read differently.",
    )


@law
def no_reference_no_reading(bench: MetricBench) -> None:
    """A forgetting metric without both retrained models refuses by NeedsReference."""
    if not bench.forgets:
        return
    case = bench.case()
    for gone in (("reference", "twin"), ("reference",), ("twin",)):
        nothing: dict[str, Any] = dict.fromkeys(gone)
        bare = tuple(replace(t, **nothing) for t in case.trials)
        try:
            reading = bench.metric.read(replace(case, trials=bare))
        except NeedsReference:
            continue
        raise LawBroken(f"Without {' and '.join(gone)} it reads {reading}.")


@law
def order_of_records_does_not_matter(bench: MetricBench) -> None:
    """Shuffling the records of a case changes no reading."""
    case = bench.case()

    def shuffled(rows: Any, k: int) -> Any:
        return rows.take(stream(k, "shuffle").permutation(len(rows)))

    other = replace(
        case,
        trials=tuple(
            replace(
                t,
                forget=shuffled(t.forget, k),
                retain=shuffled(t.retain, k),
                holdout=shuffled(t.holdout, k),
            )
            for k, t in enumerate(case.trials)
        ),
    )
    one, two = bench.pole().value, bench.read(other).value
    demand(math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-12), f"{one} became {two}.")


@law
def reading_twice_reads_the_same(bench: MetricBench) -> None:
    """The same case gives the same reading, interval included."""
    one, two = bench.pole(), bench.read(bench.case())
    demand(one == two, f"{one} became {two}.")


@law
def retraining_ranks_best(bench: MetricBench) -> None:
    """On memorized records, beyond the null, retraining beats doing nothing and over-forgetting."""
    if not bench.forgets:
        return
    read = {pole: bench.pole(pole) for pole in ("Retrain", "DoNothing", "OverForget")}
    best, null = badness(read["Retrain"]), read["Retrain"].null or (0.0, 0.0)
    room = reach(read["Retrain"])
    for pole in ("DoNothing", "OverForget"):
        bad = badness(read[pole])
        demand(
            bad > best and bad > room,
            f"{pole} reads {read[pole].value:.4g} where Retrain reads "
            f"{read['Retrain'].value:.4g} and the null is [{null[0]:.3g}, {null[1]:.3g}].",
        )


@law
def under_and_over_do_not_cancel(bench: MetricBench) -> None:
    """Half kept and half denied is not taken for retrained."""
    if not bench.forgets:
        return
    half, honest = bench.pole("Half"), bench.pole("Retrain")
    demand(
        badness(half) > max(reach(honest), badness(honest)),
        f"Half kept and half denied reads {half.value:.4g}, retraining {honest.value:.4g}.",
    )


@law
def null_is_of_retrainings(bench: MetricBench) -> None:
    """The null is what retraining scores against retraining: it does not move with the method."""
    if not bench.forgets:
        return
    nulls = [bench.pole(pole).null for pole in ("Retrain", "DoNothing", "OverForget")]
    same = all(n is not None and np.allclose(n, nulls[0] or ()) for n in nulls)
    demand(same, f"The null moves with the method: {nulls}.")


@law
def untouched_is_doing_nothing(bench: MetricBench) -> None:
    """`untouched` is what the metric reads when nothing was done."""
    if not bench.forgets:
        return
    nothing, honest = bench.pole("DoNothing"), bench.pole("Retrain")
    for reading in (nothing, honest):
        demand(
            reading.untouched is not None
            and math.isclose(reading.untouched, nothing.value, rel_tol=1e-6, abs_tol=1e-9),
            f"untouched is {reading.untouched}, doing nothing reads {nothing.value}.",
        )


@law
def null_is_what_a_twin_scores(bench: MetricBench) -> None:
    """The other retrained model, in the place of the model after, reads in or next to the null."""
    if not bench.forgets:
        return
    case = bench.case("Retrain")
    twins = tuple(replace(t, forgotten=replace(t.forgotten, model=t.twin)) for t in case.trials)
    reading = bench.read(replace(case, trials=twins))
    low, high = reading.null or (0.0, 0.0)
    room = (high - low) / 2 + 1e-9 * (1 + abs(high))
    demand(
        low - room <= reading.value <= high + room,
        f"The twin reads {reading.value:.4g}; the null is [{low:.4g}, {high:.4g}].",
    )


@law
def the_claim_is_not_the_evidence(bench: MetricBench) -> None:
    """Another claim beside the same models moves no reading."""
    if getattr(bench.metric, "role", None) == "ledger":
        return  # a ledger metric reads what a claim rests on
    claims: dict[str, Claim] = {"DoNothing": Exact(0.0), "Retrain": Heuristic("swapped")}
    for pole, claim in claims.items():
        case = bench.case(pole)
        swapped = tuple(
            replace(t, forgotten=replace(t.forgotten, claim=claim)) for t in case.trials
        )
        one, two = bench.pole(pole).value, bench.read(replace(case, trials=swapped)).value
        demand(_alike(one, two), f"{pole} reads {one:.6g}, and {two:.6g} once it claims {claim}.")


@law
def every_trial_counts(bench: MetricBench) -> None:
    """The order of the trials moves nothing; what the later half of them did does."""
    case = bench.case()
    one, two = bench.pole().value, bench.read(replace(case, trials=case.trials[::-1])).value
    demand(_alike(one, two), f"{one:.6g} became {two:.6g} when the trials were turned round.")
    if not bench.forgets:
        return
    half, other = len(case.trials) // 2, bench.case("Retrain")
    for mixed in (
        case.trials[:half] + other.trials[half:],
        other.trials[:half] + case.trials[half:],
    ):
        two = bench.read(replace(case, trials=mixed)).value
        demand(not _alike(one, two), f"Half of the trials retrained, and it still reads {one:.6g}.")


@law
def every_forgotten_record_counts(bench: MetricBench) -> None:
    """A metric that reads records reads all that were to be forgotten, not some, nor others."""
    if not bench.forgets:
        return
    case, whole = bench.case(), bench.pole().value

    def moved(name: str, later: bool) -> bool:
        """Say whether the reading moves when half of these records, by id, are left out."""
        trials = []
        for t in case.trials:
            rows = getattr(t, name)
            ids, half = np.sort(rows.ids), len(rows) // 2
            trials.append(replace(t, **{name: rows.without(ids[half:] if later else ids[:half])}))
        return not _alike(bench.read(replace(case, trials=tuple(trials))).value, whole)

    early, late = moved("forget", False), moved("forget", True)
    demand(early == late, "Only half of the forgotten records move the reading.")
    demand(
        early or late or not moved("retain", True),
        "Retained records move the reading, and the forgotten do not.",
    )


@law
def models_that_agree_are_read_too(bench: MetricBench) -> None:
    """Arms whose models agree to the last bit: doing nothing reads worse, or it refuses by name."""
    if not bench.forgets or getattr(bench.metric, "replicates", "") != "seeds":
        return
    try:
        nothing, honest = (bench.read(agreeing_case(p)) for p in ("DoNothing", "Retrain"))
    except NeedsReference:
        return
    demand(
        badness(nothing) > badness(honest),
        f"Doing nothing reads {nothing.value:.4g} and retraining {honest.value:.4g}.",
    )


@law
def the_model_after_is_read(bench: MetricBench) -> None:
    """A utility reads the model after: a retrained one in its place reads otherwise."""
    if getattr(bench.metric, "role", None) != "utility":
        return
    case = bench.case()
    served = tuple(
        replace(t, forgotten=replace(t.forgotten, model=t.reference)) for t in case.trials
    )
    one, two = bench.pole().value, bench.read(replace(case, trials=served)).value
    demand(
        not _alike(one, two),
        f"It reads {one:.6g} whether the model after is untouched or retrained.",
    )


METRIC_LAWS = (
    name_and_role_are_stated,
    reading_is_whole,
    interval_ranges_over_replicates,
    no_reference_no_reading,
    order_of_records_does_not_matter,
    reading_twice_reads_the_same,
    retraining_ranks_best,
    under_and_over_do_not_cancel,
    null_is_of_retrainings,
    untouched_is_doing_nothing,
    null_is_what_a_twin_scores,
    the_claim_is_not_the_evidence,
    every_trial_counts,
    every_forgotten_record_counts,
    models_that_agree_are_read_too,
    the_model_after_is_read,
)
