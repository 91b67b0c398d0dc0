"""The laws of methods whose claim is exact."""

from __future__ import annotations

import numpy as np

from unteach.core import Exact, NoRoute, NotConverged, Request, Rows, stream

from .law import Skipped, demand, law
from .method_bench import MethodBench


def _tolerance(bench: MethodBench) -> float:
    claim = bench.forget().claim
    return claim.atol if isinstance(claim, Exact) else 0.0


@law
def equals_retraining(bench: MethodBench) -> None:
    """Every output is, within the claimed tolerance, that of a model retrained on what is left."""
    for request in (bench.request, Request(ids=bench.many)):
        gone = bench.forget(request)
        off = bench.distance(gone.model, bench.reference(request.applied_to(bench.records), gone))
        demand(
            off <= _tolerance(bench),
            f"{len(request.ids)} forgotten: outputs are {off:.3g} from retraining; claimed "
            f"{gone.claim}.",
        )


@law
def tolerance_is_finer_than_the_effect(bench: MethodBench) -> None:
    """The claimed tolerance is at most a thousandth of what forgetting these records changes."""
    effect = bench.distance(bench.model(), bench.learned(bench.request.applied_to(bench.records)))
    atol = _tolerance(bench)
    demand(
        atol <= effect / 1000, f"atol is {atol:.3g} where forgetting moves outputs by {effect:.3g}."
    )


@law
def one_by_one_equals_at_once(bench: MethodBench) -> None:
    """Forgetting one by one, in any order, ends where forgetting all at once does."""
    at_once = bench.forget().model
    for name in ("forward", "shuffled"):
        order = bench.world.planted.tolist()
        if name == "shuffled":
            order = stream(bench.seed, "order").permutation(order).tolist()
        model, left = bench.model(), bench.records
        for identifier in order:
            model = bench.forget(Request(ids=[identifier]), model=model, records=left).model
            left = left.without([identifier])
        off = bench.distance(model, at_once)
        allowed = 2 * len(order) * _tolerance(bench)
        demand(off <= allowed, f"One by one ({name}) ends {off:.3g} away from all at once.")


@law
def forgotten_contents_do_not_matter(bench: MethodBench) -> None:
    """Two worlds that differ only in the forgotten rows end alike."""
    at = bench.records.positions(bench.world.planted)
    x, y = np.array(bench.records.x), np.array(bench.records.y)
    y[at] = y[at][::-1] if y.dtype.kind in "iu" else -1e4
    for size in (1e4, 10.0):
        x[at] = size * stream(bench.seed, "other contents").normal(size=x[at].shape)
        other = Rows(bench.records.ids, {"x": x.copy(), "y": y})
        try:
            model = bench.learned(other)
        except NotConverged:
            continue  # a world that cannot be learned (1e4 to the third power) tells nothing
        break
    else:
        raise Skipped("not compared: no model of other contents could be learned")
    gone = bench.forget()
    one, given = gone.model, getattr(gone.claim, "given", ())
    if given:
        raise Skipped(f"not compared: exact given {', '.join(given)}, which tell of all rows")
    two = bench.forget(model=model, records=other).model
    off, allowed = bench.distance(one, two), 2 * _tolerance(bench)
    demand(off <= allowed, f"What the forgotten rows said still moves an output by {off:.3g}.")


@law
def change_equals_retraining(bench: MethodBench) -> None:
    """Replacing records equals retraining on the replaced records, or is refused by NoRoute."""
    old = bench.records.select(bench.world.planted)
    y = np.array(old.y)
    y = np.roll(y, 1) if y.dtype.kind in "iu" else y - 3.0
    new = Rows(old.ids, {"x": np.array(old.x) / 2, "y": y})
    request = Request(replace=new)
    try:
        bench.method.forget(bench.model(), bench.records, request, seed=bench.seed)
    except NoRoute:
        return
    gone = bench.forget(request)
    want = bench.reference(request.applied_to(bench.records), gone)
    off = bench.distance(gone.model, want)
    allowed = 2 * _tolerance(bench)
    demand(off <= allowed, f"A changed model is {off:.3g} from retraining on the changed records.")


EXACT_LAWS = (
    equals_retraining,
    tolerance_is_finer_than_the_effect,
    one_by_one_equals_at_once,
    forgotten_contents_do_not_matter,
    change_equals_retraining,
)
