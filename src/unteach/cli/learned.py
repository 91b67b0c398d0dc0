"""Which rows of the data a model has learned from, as far as it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import BadInput, NoRoute, Rows

from .lineage import Lineage
from .screen import counted
from .sources import Source, has_columns


@dataclass(frozen=True)
class Learned:
    """The rows that a model has learned from, and the rest of the data.

    told_by : who says from which rows: "the model", "the project" (which recorded it), or
        "--all-of-data" (whoever gave that option)
    """

    records: Rows
    rest: Rows
    told_by: str

    @property
    def said(self) -> bool:
        """Whether the model itself holds the ids."""
        return self.told_by == "the model"


def learned_rows(
    model: Any, source: Source, lineage: Lineage, *, all_of_data: bool = False
) -> Learned:
    """Return the records split by whether the model has learned from them.

    Parameters
    ----------
    lineage : what the project knows of the model's file; asked where the model itself does not
        say what it has learned from. Rows forgotten on the way to it are always left out
    all_of_data : the user's word that the model has learned exactly these rows

    Raises `BadInput` when the model has learned from rows that the data does not hold, as there
    is nothing to compare it with then, and when the width differs; `NoRoute` when nobody says
    from which rows it has learned, as someone who was forgotten could be learned again.
    """
    records = source.records
    width = getattr(model, "n_features_in_", None)
    if width is not None and int(width) != records.x.shape[1]:
        hint = ""
        if not source.bundled:
            hint = (
                f"; {has_columns(source.features)}; leave columns out with --leave-out, or say "
                "--group-is-feature where the column of groups is one"
            )
        raise BadInput(
            f"the model takes {counted(int(width), 'feature')} and {source.name} gives "
            f"{records.x.shape[1]}{hint}"
        )
    mine = getattr(model, "sample_ids_", None)
    if mine is None:
        keep = ~np.isin(records.ids, lineage.forgotten)
        by = "the project" if lineage.knows(records.ids[keep]) else "--all-of-data"
        if by == "--all-of-data" and not all_of_data:
            raise NoRoute(
                "the model does not say from which rows it has learned, and the project does not "
                f"know it to be those of {source.name}; whoever was forgotten before would be "
                "learned again: give --all-of-data if it has learned exactly the rows there, or "
                "the --store that made it"
            )
        return Learned(records.take(keep), records.take(~keep), by)
    keep = np.zeros(len(records), dtype=bool)
    if mine.dtype.kind == records.ids.dtype.kind:
        keep = np.isin(records.ids, mine)
    hit = int(keep.sum())
    if hit < len(mine):
        raise BadInput(
            f"the model has learned from {counted(len(mine) - hit, 'row')} that {source.name} does "
            f"not hold ({hit} of {len(mine)} found); give the data that it was fitted on; "
            "if they were deleted there already, forget them first in Python, which needs no "
            "data: unteach.models.load(MODEL).forget(ids).save(OUT)"
        )
    if all_of_data and hit < len(records):
        raise BadInput(
            f"the model says that it has learned from {hit} of the {len(records)} rows of "
            f"{source.name}; leave --all-of-data out"
        )
    return Learned(records.take(keep), records.take(~keep), "the model")


def told_otherwise(told_by: str, name: str, left_out: int) -> str:
    """Return a sentence on who says from which rows the model has learned; "" if it does."""
    if told_by == "the model":
        return ""
    but = f", but for {counted(left_out, 'row')} forgotten on the way" if left_out else ""
    if told_by == "the project":
        return f"the model does not say from which rows; the project recorded all of {name}{but}"
    return (
        f"the model does not say from which rows; by --all-of-data, all of {name} is taken{but}, "
        "and the claim stands on that word"
    )
