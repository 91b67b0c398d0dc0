"""Requests: what to forget, what must stay, and what to believe instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadInput, EmptyRequest
from .columns import foreign
from .records import Ids, Records, Rows, as_ids, locate


def _listed(values: Any) -> tuple[Any, ...] | None:
    if values is None:
        return None
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        return (values,)
    values = foreign(values, "a request")
    return tuple(v.item() if isinstance(v, np.generic) else v for v in values)


@dataclass(frozen=True)
class Request:
    """What is to be forgotten: records by id, whole groups, or both.

    Parameters
    ----------
    ids : ids of records. An empty list is a request to forget nothing, and changes nothing;
        a request that names neither ids nor groups is refused.
    groups : names of groups (a person, a class, a skill, a fact)
    preserve : ids that must stay; naming one that is also to be forgotten is refused
    replace : records with the forgotten ids and new contents: the request is then a change,
        and its reference is retraining on the replaced records

    Examples
    --------
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.zeros(4)}, np.array(list("abba")))
    >>> Request(groups=["b"]).targets(rows)
    array([1, 2])
    >>> Request(groups=["b"]).applied_to(rows).ids
    array([0, 3])
    """

    ids: Any = None
    groups: Any = None
    preserve: Any = None
    replace: Rows | None = None

    def __post_init__(self) -> None:
        for name in ("ids", "groups", "preserve"):
            object.__setattr__(self, name, _listed(getattr(self, name)))
        if self.ids is None and self.groups is None:
            if self.replace is None:
                raise EmptyRequest("the request names nothing; give ids=, groups= or replace=")
            object.__setattr__(self, "ids", tuple(self.replace.ids.tolist()))

    def targets(self, records: Records) -> Ids:
        """Return the ids to forget, in the order of the records."""
        check_records(records)
        at = np.zeros(len(records), dtype=bool)
        at[locate(records.ids, as_ids(self.ids or ()))] = True
        if self.groups:
            if not isinstance(records, Rows) and records.groups is None:
                raise BadInput("these records have no groups; name ids instead")
            members = records.members if isinstance(records, Rows) else _members(records)
            at[locate(records.ids, members(self.groups))] = True
        targets = records.ids[at]
        if self.preserve is not None:
            kept = as_ids(self.preserve)
            locate(records.ids, kept)
            both = np.intersect1d(kept, targets) if len(targets) and len(kept) else targets[:0]
            if len(both):
                raise BadInput(f"id {both[0].item()!r} is to be forgotten and to be preserved")
        if self.replace is not None and set(self.replace.ids.tolist()) != set(targets.tolist()):
            raise BadInput("replacement records must have exactly the ids that are forgotten")
        return targets

    def applied_to(self, records: Records) -> Records:
        """Return the records a model should have learned from, had the request always held."""
        targets = self.targets(records)
        if self.replace is not None:
            if not isinstance(records, Rows):
                raise BadInput("a change needs records in memory (Rows)")
            return records.replace(self.replace)
        return records.without(targets) if len(targets) else records


def check_records(what: Any) -> None:
    """Refuse what are no records: arrays, tensors, data sets and loaders of other libraries."""
    if not all(hasattr(what, name) for name in ("ids", "take", "select")):
        raise BadInput(
            f"records are rows with ids, got {type(what).__name__}; hand in "
            "unteach.data.rows(X, y), of a data set or loader its items as arrays"
        )


def _members(records: Records) -> Any:
    def members(groups: Iterable[Any]) -> Ids:
        return Rows(records.ids, {}, records.groups).members(groups)

    return members
