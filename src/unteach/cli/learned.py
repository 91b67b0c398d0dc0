"""Which rows of the data a model has learned from, as far as it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import BadInput, Ids, Rows, Table

from .names import Names
from .screen import counted
from .sources import Source


@dataclass(frozen=True)
class Learned:
    """The rows that a model has learned from, and the rest of the data.

    said : whether the model itself holds the ids; otherwise all rows are taken
    """

    records: Rows
    rest: Rows
    said: bool


def learned_rows(model: Any, source: Source, forgotten_before: Ids | None = None) -> Learned:
    """Return the records split by whether the model has learned from them.

    Parameters
    ----------
    forgotten_before : ids that the project knows were forgotten on the way to this model; they
        are left out where the model itself does not say what it has learned from

    Raises `BadInput` when the model has learned from rows that the data does not hold, as there
    is nothing to compare it with then, and when the width differs.
    """
    records = source.records
    width = getattr(model, "n_features_in_", None)
    if width is not None and int(width) != records.x.shape[1]:
        hint = ""
        if not source.bundled:
            hint = (
                f" ({', '.join(source.features)}); leave columns out with --leave-out, or say "
                "--group-is-feature where the column of groups is one"
            )
        raise BadInput(
            f"the model takes {counted(int(width), 'feature')} and {source.name} gives "
            f"{records.x.shape[1]}{hint}"
        )
    mine = getattr(model, "sample_ids_", None)
    if mine is None:
        gone = records.ids[:0] if forgotten_before is None else forgotten_before
        keep = ~np.isin(records.ids, gone)
        return Learned(records.take(keep), records.take(~keep), said=False)
    keep = np.zeros(len(records), dtype=bool)
    if mine.dtype.kind == records.ids.dtype.kind:
        keep = np.isin(records.ids, mine)
    hit = int(keep.sum())
    if hit < len(mine):
        raise BadInput(
            f"the model has learned from {counted(len(mine) - hit, 'row')} that {source.name} does "
            f"not hold ({hit} of {len(mine)} found); give the data that it was fitted on"
        )
    return Learned(records.take(keep), records.take(~keep), said=True)


def forgotten_on_the_way(tables: list[dict[str, Table]], model: str, names: Names, ids: Ids) -> Ids:
    """Return the ids that earlier runs of the project forgot on the way to this model's file.

    Parameters
    ----------
    tables : those of all finished runs that forgot
    model : the digest of the model's file
    """
    gone: set[str] = set()
    seen: set[str] = set()
    ahead = [model]
    while ahead:
        file = ahead.pop()
        if file in seen:
            continue
        seen.add(file)
        for found in tables:
            if file in found["forgetting"]["model after"]:
                if found["forgetting"]["method"] != ["DoNothing"]:  # whose rows are still there
                    gone |= set(found["forgotten"]["record"])
                ahead += found["forgetting"]["model before"]
    if not gone:
        return ids[:0]
    return ids[[names.record(i) in gone for i in ids.tolist()]]
