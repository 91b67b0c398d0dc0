"""Options that several commands share, each written once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# --scale: how features are scaled before anything is learned.


class Scaling(StrEnum):
    """How features are scaled before anything is learned, by constants of the whole set."""

    standard = "standard"
    unit = "unit"
    none = "none"


def scaled(x: Any, scale: Scaling) -> NDArray[np.float64]:
    """Return features with mean 0, and standard deviation 1 each or over all of them.

    >>> scaled([[0.0, 5.0], [2.0, 5.0]], Scaling.standard).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    import numpy as np

    values = np.asarray(x, dtype=np.float64)
    if scale is Scaling.none:
        return values
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0) if scale is Scaling.standard else np.asarray(centred.std())
    return np.asarray(centred / np.where(spread > 0, spread, 1.0))


def flag(name: str, about: str, panel: str | None = None) -> Any:
    """Return an option that is there or not."""
    return typer.Option(name, help=about, metavar="", rich_help_panel=panel)


def value(metavar: str, about: str, panel: str | None = None, name: str | None = None) -> Any:
    """Return an option that takes a value; its name is that of the parameter if not given."""
    names = () if name is None else (name,)
    return typer.Option(*names, help=about, metavar=metavar, rich_help_panel=panel)


WHO, DATA, HOW = "Who or what is forgotten", "The data", "How"
"""Panels of the help that several commands have."""

DataName = Annotated[
    str, typer.Argument(metavar="DATA", help="A bundled set, or a table: .csv, .tsv, .parquet.")
]
Seed = Annotated[
    int, typer.Option(min=0, metavar="N", help="Everything random grows from this number.")
]
StorePath = Annotated[
    Path,
    typer.Option("--store", metavar="PATH", help="The project folder, where runs are recorded."),
]
AsJson = Annotated[bool, flag("--json", "Print one JSON document on stdout, and nothing else.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, metavar="N", help="Processes; one a core if not given."),
]
ModelName = Annotated[str, value("NAME", "See `unteach list models`; or MODULE:CLASS.")]
Params = Annotated[
    list[str] | None, value("KEY=VALUE", "A parameter of the model; again for more.")
]
IdsColumn = Annotated[str | None, value("COLUMN", "The column of unique ids, for a file.", DATA)]
Target = Annotated[str | None, value("COLUMN", "The column of targets, for a file.", DATA)]
LeaveOut = Annotated[
    list[str] | None, value("COLUMN", "A column that is no feature; again for more.", DATA)
]
Scale = Annotated[
    Scaling, value("HOW", "standard: each feature; unit: all by one number; none.", DATA)
]
IdsFile = Annotated[str | None, value("FILE", "Ids of rows, one a line; - is stdin.", WHO)]
Group = Annotated[
    str | None, value("COLUMN", "The column that names people, or other groups.", WHO)
]
ValuesFrom = Annotated[
    str | None, value("FILE", "Who in that column, one a line; - is stdin.", WHO)
]
DryRun = Annotated[
    bool, flag("--dry-run", "Say what would happen, and how long; change nothing.", HOW)
]

PROJECT = Path(".unteach")
