"""The laws of every method, whatever it claims."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np

from unteach.core import (
    BadInput,
    BudgetSpent,
    Certified,
    Exact,
    Forgotten,
    Heuristic,
    RepeatedRecord,
    Request,
    Rows,
    UnknownRecord,
)
from unteach.models import parameters

from .law import LawBroken, demand, law
from .method_bench import MethodBench, held_bytes, image

# Records that refuse to be read, for the law of methods that need no retained data.


class Guarded(Rows):
    """Records that may be read only where they are to be forgotten.

    `read` collects what was read of the others, so that a swallowed error hides nothing.
    """

    def __init__(self, whole: Rows, allowed: frozenset[Any], read: list[str]) -> None:
        object.__setattr__(self, "ids", whole.ids)
        object.__setattr__(self, "groups", whole.groups)
        object.__setattr__(self, "_inside", (whole, allowed, read))

    @property
    def columns(self) -> Any:
        """Refuse: the columns hold every record."""
        return self._refuse("the columns of all records")

    def column(self, name: str) -> Any:
        """Refuse: a column holds every record."""
        return self._refuse(f"column {name!r} of all records")

    def take(self, rows: Any) -> Rows:
        """Return the records at these positions: open if all may be read, guarded if not."""
        whole, allowed, read = self._inside  # type: ignore[attr-defined]
        part: Rows = whole.take(rows)
        open_ = set(part.ids.tolist()) <= allowed
        return part if open_ else Guarded(part, allowed, read)

    def replace(self, other: Any) -> Rows:
        """Refuse: the result would hold every record."""
        self._refuse("the contents of all records, to replace some")
        return self

    def __repr__(self) -> str:
        return f"Rows({len(self)} records, guarded)"

    def _refuse(self, what: str) -> Any:
        self._inside[2].append(what)  # type: ignore[attr-defined]
        raise LawBroken(f"A method that says it is retain-free read {what}.")


def _tolerance(gone: Forgotten) -> float:
    return gone.claim.atol if isinstance(gone.claim, Exact) else 0.0


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
    before = image(model)
    x, y = bench.records.x.copy(), np.asarray(bench.records.y).copy()
    bench.forget(model=model)
    demand(image(model) == before, "The model that was handed in is not what it was.")
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
    """Forgetting records changes what is said of them: of the few that bend the model, of many."""
    forget = bench.records.select(bench.world.planted)
    gone, before = bench.forget().model, bench.model()
    a, b = bench.outputs(gone), bench.outputs(before)
    at = bench.records.positions(forget.ids)
    moved = float("inf") if a.shape != b.shape else float(np.abs(a[at] - b[at]).max())
    demand(moved > 0, "Not one output on the forgotten records moved: a step that never updates.")
    many = bench.many
    try:
        gone = bench.method.forget(bench.model(), bench.records, Request(ids=many), seed=bench.seed)
    except BudgetSpent:
        return
    moved = bench.distance(gone.model, before)
    demand(moved > 0, f"Not one output moved when {len(many)} records were to be forgotten.")


@law
def frozen_stays_and_trained_moves(bench: MethodBench) -> None:
    """Parameters that a method says it freezes do not move, and those that it trains do.

    A method says so by `moves(model) -> (p,) booleans`, in the order of `models.parameters`;
    one that chooses by what is to be forgotten by `moves(model, records, request)`.
    """
    if not hasattr(bench.method, "moves"):
        return
    before = parameters(bench.model())
    after = parameters(bench.forget().model)
    if before is None or after is None or before.shape != after.shape:
        raise LawBroken("The method states which parameters move, but they cannot be compared.")
    asked = inspect.signature(bench.method.moves).parameters
    told = (bench.records, bench.request) if len(asked) > 1 else ()
    moves = np.asarray(bench.method.moves(bench.model(), *told), dtype=bool)
    changed = before != after
    demand(not changed[~moves].any(), f"{int(changed[~moves].sum())} frozen parameters moved.")
    demand(bool(changed[moves].any()), "No parameter that is said to be trained moved.")


@law
def retain_free_means_it(bench: MethodBench) -> None:
    """A method that says `retain_free = True` reads no retained record."""
    if not getattr(bench.method, "retain_free", False):
        return
    read: list[str] = []
    bench.forget(records=Guarded(bench.records, frozenset(bench.world.planted.tolist()), read))
    demand(not read, f"It read {', '.join(read)}.")


@law
def a_group_is_its_members(bench: MethodBench) -> None:
    """Forgetting a group ends where forgetting the ids of its members does."""
    planted = bench.world.planted
    groups = np.where(np.isin(bench.records.ids, planted), "ada", "rest")
    grouped = Rows(bench.records.ids, bench.records.columns, groups)
    model = bench.learned(grouped)
    one, two = (
        bench.forget(request, model=copy.deepcopy(model), records=grouped)
        for request in (Request(ids=planted), Request(groups=["ada"]))
    )
    off = bench.distance(one.model, two.model)
    demand(
        off <= _tolerance(one),
        f"Forgetting the group ends {off:.3g} away from forgetting its members.",
    )


@law
def string_ids_work_alike(bench: MethodBench) -> None:
    """Records whose ids are strings are forgotten as those whose ids are whole numbers are."""
    old = bench.records
    names = np.char.add("record ", old.ids.astype(str))
    named = Rows(names, old.columns, old.groups)
    gone = names[old.positions(bench.world.planted)]
    before = bench.learned(named)
    after = bench.forget(Request(ids=gone), model=copy.deepcopy(before), records=named)
    moved = bench.distance(after.model, before)
    usual = bench.distance(bench.forget().model, bench.model())
    demand(
        (moved > 0) == (usual > 0),
        f"Outputs move by {usual:.3g} with whole numbers for ids and by {moved:.3g} with strings.",
    )
    if isinstance(after.claim, Exact):
        off = bench.distance(after.model, bench.reference(named.without(gone), after))
        demand(off <= after.claim.atol, f"With string ids it ends {off:.3g} from retraining.")


@law
def preserve_is_honoured(bench: MethodBench) -> None:
    """An id that is to be forgotten and to be preserved raises BadInput; others may be named."""
    planted = bench.world.planted
    kept = bench.records.without(planted).ids[:3]
    one, two = bench.forget(Request(ids=planted, preserve=kept)), bench.forget()
    off = bench.distance(one.model, two.model)
    demand(off <= _tolerance(one), f"Naming what is kept anyway moves an output by {off:.3g}.")
    both = Request(ids=planted, preserve=[planted[0]])
    try:
        bench.method.forget(bench.model(), bench.records, both, seed=bench.seed)
    except BadInput:
        return
    raise LawBroken(f"Id {planted[0]} was to be preserved and to be forgotten, and was forgotten.")


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
    """No byte of a forgotten row is left in what is saved of the model, or in what it holds."""
    gone = bench.forget(Request(ids=bench.world.planted))
    raw = held_bytes(gone.model)
    for row in bench.records.select(bench.world.planted).x:
        if np.asarray(row).dtype.kind in "iu":  # single tokens stand everywhere, so rows count
            whole = any(np.asarray(row).astype(kind).tobytes() in raw for kind in ("<i8", "<i4"))
            demand(not whole, f"The tokens {np.asarray(row).tolist()} are still there.")
            continue
        for value in np.asarray(row, dtype=np.float64):
            for dtype in ("<f8", ">f8", "<f4"):
                needle = np.asarray([value]).astype(dtype).tobytes()
                # four bytes collide by chance, so a float32 counts by its whole row alone
                if dtype == "<f4":
                    needle = np.asarray(row).astype(dtype).tobytes()
                demand(
                    needle not in raw, f"The value {value:.6g} of a forgotten row is still there."
                )


@law
def what_is_stored_lets_go(bench: MethodBench) -> None:
    """Nothing that is kept to forget by was computed from a forgotten record.

    A model that keeps such things holds them in `stored_`, whose `of(ids)` says how many of them
    were computed from these records.
    """
    left = getattr(bench.forget().model, "stored_", None)
    if left is None:
        return
    demand(
        not left.of(bench.world.planted),
        f"{left.of(bench.world.planted)} stored parts were computed from forgotten records.",
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
    a_group_is_its_members,
    string_ids_work_alike,
    preserve_is_honoured,
    claim_and_cost_are_stated,
    no_residue,
    what_is_stored_lets_go,
)
