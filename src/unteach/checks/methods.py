"""The laws of every method, whatever it claims."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from unteach.core import Certified, Exact, Heuristic, RepeatedRecord, Request, Rows, UnknownRecord
from unteach.models import parameters

from .bench import MethodBench, saved_bytes
from .law import LawBroken, demand, law


@law
def forgetting_nothing_changes_nothing(bench: MethodBench) -> None:
    """An empty request leaves every output as it was."""
    gone = bench.forget(Request(ids=[]))
    moved = bench.distance(gone.model, bench.model())
    demand(moved == 0.0, f"An empty request moved an output by {moved:.3g}.")


@law
def inputs_are_untouched(bench: MethodBench) -> None:
    """Neither the model nor the records that were handed in change."""
    model = bench.model()
    before = pickle.dumps(model)
    x, y = bench.records.x.copy(), np.asarray(bench.records.y).copy()
    bench.forget(model=model)
    demand(pickle.dumps(model) == before, "The model that was handed in is not what it was.")
    same = np.array_equal(bench.records.x, x) and np.array_equal(bench.records.y, y)
    demand(same, "The records that were handed in are not what they were.")


@law
def unknown_id_is_refused(bench: MethodBench) -> None:
    """An id that the records do not hold raises UnknownRecord."""
    known = bench.world.planted[0]
    for ids in ([999_999], [known, 999_999]):
        try:
            bench.method.forget(bench.model(), bench.records, Request(ids=ids), seed=0)
        except UnknownRecord:
            continue
        raise LawBroken(
            f"A request that names the unknown id 999999 among {len(ids)} was accepted."
        )


@law
def repeated_id_is_refused(bench: MethodBench) -> None:
    """An id that is named twice raises RepeatedRecord."""
    known = bench.world.planted[0]
    try:
        bench.method.forget(bench.model(), bench.records, Request(ids=[known, known]), seed=0)
    except RepeatedRecord:
        return
    raise LawBroken(f"A request that names id {known} twice was accepted.")


@law
def same_seed_same_result(bench: MethodBench) -> None:
    """Two runs with one seed end in the same outputs, bit for bit."""
    one, two = bench.forget().model, bench.forget().model
    same = np.array_equal(bench.outputs(one), bench.outputs(two))
    demand(same, f"Outputs differ by {bench.distance(one, two):.3g} between two equal runs.")


@law
def something_moves(bench: MethodBench) -> None:
    """Forgetting records that bend the model changes what it says of them."""
    forget = bench.records.select(bench.world.planted)
    gone, before = bench.forget().model, bench.model()
    a, b = bench.outputs(gone), bench.outputs(before)
    at = bench.records.positions(forget.ids)
    moved = float("inf") if a.shape != b.shape else float(np.abs(a[at] - b[at]).max())
    demand(moved > 0, "Not one output on the forgotten records moved: a step that never updates.")


@law
def frozen_stays_and_trained_moves(bench: MethodBench) -> None:
    """Parameters that a method says it freezes do not move, and those that it trains do.

    A method says so by `moves(model) -> (p,) booleans`, in the order of `models.parameters`.
    """
    if not hasattr(bench.method, "moves"):
        return
    before = parameters(bench.model())
    after = parameters(bench.forget().model)
    if before is None or after is None or before.shape != after.shape:
        raise LawBroken("The method states which parameters move, but they cannot be compared.")
    moves = np.asarray(bench.method.moves(bench.model()), dtype=bool)
    changed = before != after
    demand(not changed[~moves].any(), f"{int(changed[~moves].sum())} frozen parameters moved.")
    demand(bool(changed[moves].any()), "No parameter that is said to be trained moved.")


class _Guarded(Rows):
    """Records that may be read only where they are to be forgotten."""

    def column(self, name: str) -> Any:
        raise LawBroken(
            f"A method that says it is retain-free read column {name!r} of all records."
        )

    def select(self, ids: Any) -> Rows:
        object.__getattribute__(self, "__dict__")["touched"].update(np.asarray(ids).tolist())
        return Rows(self.ids, self.columns, self.groups).select(ids)

    def take(self, rows: Any) -> Rows:
        return self.select(self.ids[rows])

    def without(self, ids: Any) -> Rows:
        return Rows(self.ids, self.columns, self.groups).without(ids)


@law
def retain_free_means_it(bench: MethodBench) -> None:
    """A method that says `retain_free = True` reads no retained record."""
    if not getattr(bench.method, "retain_free", False):
        return
    guarded = _Guarded(bench.records.ids, bench.records.columns)
    guarded.__dict__["touched"] = set()
    bench.forget(records=guarded)
    strange = guarded.__dict__["touched"] - set(bench.world.planted.tolist())
    demand(not strange, f"It read {len(strange)} retained records.")


@law
def claim_and_cost_are_stated(bench: MethodBench) -> None:
    """What is returned carries a claim and a measured cost."""
    gone = bench.forget()
    kinds = (Exact, Certified, Heuristic)
    demand(isinstance(gone.claim, kinds), f"The claim is {gone.claim!r}, which is no claim.")
    known = getattr(gone.cost, "seconds", -1) > 0 or isinstance(gone.claim, Heuristic)
    demand(known, "The cost is not stated: seconds must be measured.")


@law
def no_residue(bench: MethodBench) -> None:
    """No byte of a forgotten row is left in what would be saved of the model."""
    gone = bench.forget(Request(ids=bench.world.planted))
    raw = saved_bytes(gone.model)
    for row in bench.records.select(bench.world.planted).x:
        for value in np.asarray(row, dtype=np.float64):
            for dtype in ("<f8", ">f8", "<f4"):
                needle = np.asarray([value]).astype(dtype).tobytes()
                # four bytes collide by chance, so a float32 counts by its whole row alone
                if dtype == "<f4":
                    needle = np.asarray(row).astype(dtype).tobytes()
                demand(
                    needle not in raw, f"The value {value:.6g} of a forgotten row is still saved."
                )


METHOD_LAWS = (
    forgetting_nothing_changes_nothing,
    inputs_are_untouched,
    unknown_id_is_refused,
    repeated_id_is_refused,
    same_seed_same_result,
    something_moves,
    frozen_stays_and_trained_moves,
    retain_free_means_it,
    claim_and_cost_are_stated,
    no_residue,
)
