"""Records: what a model learned from, each with an id that never changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, NothingLeft, RepeatedRecord, UnknownRecord
from .columns import LazyColumn, foreign, one_column, resembling

Ids = NDArray[Any]


def as_ids(ids: Iterable[Any] | Any, *, what: str = "ids") -> Ids:
    """Return ids as a one-dimensional array of int64 or of strings.

    >>> as_ids([3, 5])
    array([3, 5])
    >>> as_ids([0.5])
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: ids must be whole numbers or strings, got float64
    """
    if isinstance(ids, (str, bytes, int, np.integer)):
        ids = [ids]
    array = one_column(list(ids) if isinstance(ids, (set, frozenset)) else ids, what)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.dtype.kind == "i":
        return array
    if array.dtype.kind == "U":
        return tight(array)
    raise BadInput(f"{what} must be whole numbers or strings, got {array.dtype}")


def as_groups(groups: Any) -> NDArray[Any]:
    """Return the groups of records as an array of whole numbers, strings, bools or finite floats.

    >>> as_groups(["ann", "bob"]).tolist()
    ['ann', 'bob']
    """
    array = one_column(groups, "groups")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadInput("groups must be strings or finite numbers, none missing; one is not finite")
    return array


def first_repeated(ids: Ids) -> Any | None:
    """Return an id that occurs twice, or None.

    >>> first_repeated(np.array([4, 7, 4]))
    4
    """
    values, counts = np.unique(ids, return_counts=True)
    twice = values[counts > 1]
    return twice[0].item() if len(twice) else None


def locate(known: Ids, wanted: Ids, *, where: str = "the records") -> NDArray[np.int64]:
    """Return the positions of `wanted` in `known`, in the order of `wanted`.

    Raises `UnknownRecord` for an id that is not there and `RepeatedRecord` for one named twice.

    >>> locate(np.array([10, 30, 20]), np.array([20, 10]))
    array([2, 0])
    """
    twice = first_repeated(wanted)
    if twice is not None:
        raise RepeatedRecord(f"id {twice!r} is named more than once; name each record once")
    if len(wanted) == 0:
        return np.zeros(0, dtype=np.int64)
    strange: Any = None
    if len(known) == 0 or known.dtype.kind != wanted.dtype.kind:
        strange = wanted[0].item()
    else:
        order = np.argsort(known, kind="stable")
        at = np.searchsorted(known, wanted, sorter=order)
        found: NDArray[np.int64] = order[np.minimum(at, len(known) - 1)].astype(np.int64)
        wrong = np.flatnonzero(known[found] != wanted)
        if len(wrong) == 0:
            return found
        strange = wanted[wrong[0]].item()
    kind = "whole numbers" if known.dtype.kind == "i" else "strings"
    others = int((~np.isin(wanted, known)).sum()) - 1
    more = f", nor with {others} others of the {len(wanted)} named," if others else ""
    near = resembling([strange], known.tolist())
    raise UnknownRecord(
        f"no record with id {strange!r}{more} in {where} ({len(known)} records, ids are {kind}); "
        + (
            f"did you mean the one that differs in {near}?"
            if near
            else "it may have been forgotten already"
        )
    )


@runtime_checkable
class Records(Protocol):
    """What every source of records offers; `Rows` is the one that holds them in memory."""

    @property
    def ids(self) -> Ids:
        """(n,) int64 or str: unique, permanent, never renumbered."""

    @property
    def groups(self) -> NDArray[Any] | None:
        """(n,) the person, class, skill or fact that each record belongs to."""

    @property
    def x(self) -> Any:
        """The inputs, first axis of length n."""

    @property
    def y(self) -> Any:
        """The targets, first axis of length n."""

    def __len__(self) -> int: ...
    def take(self, rows: Any) -> Records:
        """Return the records at these positions."""

    def select(self, ids: Any) -> Records:
        """Return the records with these ids, in this order."""

    def without(self, ids: Any) -> Records:
        """Return the records that are left when these ids go."""


@runtime_checkable
class Stream(Protocol):
    """Records without end, drawn by group: tasks that are generated rather than stored."""

    @property
    def groups(self) -> Sequence[Any]:
        """The groups that can be drawn from."""

    def draw(self, n: int, *, seed: int, group: Any | None = None) -> Records:
        """Return n fresh records, of one group or of all."""

    def without(self, groups: Iterable[Any]) -> Stream:
        """Return the stream that never draws from these groups."""


def _is_frame(value: Any) -> bool:
    return hasattr(value, "iloc") and getattr(value, "ndim", 0) == 2


def _frozen(value: Any, n: int, name: str) -> Any:
    value = foreign(value, f"column {name!r}")  # a series' own numbering is not one by position
    value = value.tocsr() if hasattr(value, "tocsr") else value  # others have no rows to take
    if isinstance(value, np.ndarray) or hasattr(value, "tocsr"):
        length = value.shape[0] if value.ndim else -1
        if isinstance(value, np.ndarray) and value.flags.writeable:
            value = value.view()
            value.flags.writeable = False
    else:
        length = len(value)
    if length != n:
        raise BadInput(f"column {name!r} has {length} entries for {n} ids; give one entry an id")
    return value


def tight(values: NDArray[Any]) -> NDArray[Any]:
    """Return strings in the narrowest type, so that a forgotten long one leaves no width.

    >>> tight(np.array(["ada", "bob", "wilhelmina"])[:2]).dtype.str
    '<U3'
    """
    if values.dtype.kind != "U" or not values.size:
        return values
    width = max(1, int(np.strings.str_len(values).max()))
    return values if values.dtype.itemsize == 4 * width else values.astype(f"U{width}")


def _take(value: Any, rows: NDArray[Any]) -> Any:
    if isinstance(value, np.ndarray):
        return tight(value[rows])
    if hasattr(value, "tocsr"):
        return value[rows]
    if isinstance(value, LazyColumn):
        return value.taken(rows)
    if _is_frame(value):
        return value.iloc[rows]
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    return [value[int(i)] for i in rows]


def _replaced(frame: Any, at: NDArray[np.int64], new: Any) -> Any:
    """Return a data frame with other rows at these positions, and its own index."""
    from pandas import concat  # type: ignore[import-untyped,unused-ignore]

    rows = new if _is_frame(new) else type(frame)(np.asarray(new), columns=frame.columns)
    if list(rows.columns) != list(frame.columns):
        raise BadInput("replacement rows have other columns than the records; give the same ones")
    order = np.arange(len(frame))
    order[at] = len(frame) + np.arange(len(at))
    return concat([frame, rows]).iloc[order].set_axis(frame.index)


@dataclass(frozen=True, eq=False)
class Rows:
    """Records in memory: ids, named columns, and a group for each.

    Parameters
    ----------
    ids : (n,) whole numbers or strings, unique
    columns : name to values, each of length n: array, sparse matrix, memory map, data frame
        (its rows by position, whatever its index says), or a list (ragged). `x` and `y` are
        the inputs and the targets by convention.
    groups : (n,) optional; a person, a class, a skill or a fact

    Examples
    --------
    >>> rows = Rows(np.array([7, 9]), {"x": np.eye(2), "y": np.array([0, 1])})
    >>> rows.without([7]).ids
    array([9])
    >>> rows.without([8])
    Traceback (most recent call last):
    ...
    unteach.core.errors.UnknownRecord: no record with id 8 in the records (2 records, ids are
    whole numbers); it may have been forgotten already
    """

    ids: Ids
    columns: Mapping[str, Any] = field(default_factory=dict)
    groups: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        ids = as_ids(self.ids)
        twice = first_repeated(ids)
        if twice is not None:
            raise RepeatedRecord(f"id {twice!r} names two records; ids must be unique")
        object.__setattr__(self, "ids", _frozen(ids, len(ids), "ids"))
        frozen = {name: _frozen(value, len(ids), name) for name, value in self.columns.items()}
        object.__setattr__(self, "columns", frozen)
        if self.groups is not None:
            groups = as_groups(self.groups)
            object.__setattr__(self, "groups", _frozen(groups, len(ids), "groups"))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.ids.tolist())

    def __repr__(self) -> str:
        sized = {k: v.shape if hasattr(v, "shape") else (len(v),) for k, v in self.columns.items()}
        shapes = ", ".join(f"{k}{size}" for k, size in sized.items())
        grouped = "" if self.groups is None else f", {len(np.unique(self.groups))} groups"
        return f"Rows({len(self)} records: {shapes}{grouped})"

    @classmethod
    def from_torch(cls, dataset: Any, *, ids: Any = None, groups: Any = None) -> Rows:
        """Return the items of a torch data set (or of any list of pairs) as records, lazily.

        Parameters
        ----------
        dataset : has `len`, and gives (x, y) at a whole number; a loader's is `loader.dataset`.
            Items are read when they are used, and again each time: give a data set without
            random augmentation if a record is to be the same twice.
        ids, groups : (n,) optional; ids are the positions 0 to n - 1 if none are given

        Examples
        --------
        >>> rows = Rows.from_torch([(np.zeros(2), 1), (np.ones(2), 0), (np.ones(2), 1)])
        >>> rows.without([0]).x[0], np.asarray(rows.y)
        (array([1., 1.]), array([1, 0, 1]))
        """
        columns = LazyColumn.of(dataset)
        given = np.arange(len(dataset)) if ids is None else ids
        return cls(given, columns, None if groups is None else np.asarray(groups))

    def column(self, name: str) -> Any:
        """Return one named column, or say which there are."""
        if name not in self.columns:
            raise BadInput(f"no column {name!r}; there are {sorted(self.columns)}")
        return self.columns[name]

    @property
    def x(self) -> Any:
        """The inputs, first axis of length n."""
        return self.column("x")

    @property
    def y(self) -> Any:
        """The targets, first axis of length n."""
        return self.column("y")

    @cached_property
    def _position(self) -> dict[Any, int]:
        return {i: k for k, i in enumerate(self.ids.tolist())}

    def positions(self, ids: Any) -> NDArray[np.int64]:
        """Return where these ids stand; an unknown or a repeated id is refused."""
        return locate(self.ids, as_ids(ids))

    def has(self, identifier: Any) -> bool:
        """Say whether this id is here."""
        return identifier in self._position

    def take(self, rows: Any) -> Rows:
        """Return the records at these positions (or where a mask is true)."""
        rows = np.asarray(rows)
        if rows.size == 0:
            rows = rows.astype(np.int64)
        return Rows(
            self.ids[rows],
            {name: _take(value, rows) for name, value in self.columns.items()},
            None if self.groups is None else tight(self.groups[rows]),
        )

    def select(self, ids: Any) -> Rows:
        """Return the records with these ids, in this order."""
        return self.take(self.positions(ids))

    def without(self, ids: Any) -> Rows:
        """Return the records that are left when these ids go, in their order."""
        keep = np.ones(len(self), dtype=bool)
        keep[self.positions(ids)] = False
        if len(self) and not keep.any():
            raise NothingLeft(f"forgetting all {len(self)} records leaves nothing to learn from")
        return self.take(keep)

    def members(self, groups: Iterable[Any]) -> Ids:
        """Return the ids that belong to these groups; an unknown group is refused."""
        if self.groups is None:
            raise BadInput("these records have no groups; give `groups=` when they are made")
        hit, wanted = np.zeros(len(self), dtype=bool), list(groups)
        absent: dict[int, Any] = {}
        for k, group in enumerate(wanted, 1):
            one = as_groups([group])
            alike = self.groups.dtype.kind == one.dtype.kind
            # across types Python compares exactly, numpy by floats
            mine = (
                self.groups == one
                if alike
                else np.array(
                    [value == one[0].item() for value in self.groups.tolist()], dtype=bool
                )
            )
            if not np.any(mine):
                absent[k] = one[0].item()
            hit |= mine
        if absent:
            which = f", number{'s' * (len(absent) > 1)} {', '.join(map(str, list(absent)[:9]))}"
            near = resembling(absent.values(), np.unique(self.groups).tolist())
            raise UnknownRecord(
                f"a group that was named has no records here{which * (len(wanted) > 1)} of "
                f"{len(wanted)} named"
                + (f"; did you mean one that differs in {near}?" if near else "")
            )
        return self.ids[hit]

    def replace(self, other: Records) -> Rows:
        """Return the same records with the contents of `other` at the ids it names."""
        at = self.positions(other.ids)
        columns: dict[str, Any] = {}
        for name, value in self.columns.items():
            new = other.column(name) if isinstance(other, Rows) else getattr(other, name)
            if isinstance(value, np.ndarray):
                new = np.asarray(new)
                if new.shape[1:] != value.shape[1:]:
                    raise BadInput(
                        f"replacement column {name!r} has entries of shape {new.shape[1:]}, "
                        f"the records have {value.shape[1:]}"
                    )
                merged = value.astype(np.result_type(value, new), copy=True)
                merged[at] = new
                columns[name] = merged
            elif hasattr(value, "tocsr"):
                merged = value.tolil(copy=True)
                merged[at] = new
                columns[name] = merged.tocsr()
            elif _is_frame(value):
                columns[name] = _replaced(value, at, new)
            else:
                listed = list(value)
                for k, row in zip(at, new, strict=True):
                    listed[int(k)] = row
                columns[name] = listed
        return Rows(self.ids, columns, self.groups)
