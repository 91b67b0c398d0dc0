"""`unteach list`: what there is to choose from, made from the things themselves."""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import Annotated, Any

import typer

from .learners import spelled
from .options import AsJson
from .screen import answers, print_json, table


class Kind(StrEnum):
    """What can be listed."""

    methods = "methods"
    metrics = "metrics"
    models = "models"
    data = "data"
    studies = "studies"


def listing(
    what: Annotated[Kind, typer.Argument(metavar="WHAT", help="One of these.")],
    json: AsJson = False,
) -> None:
    """List methods, metrics, models, data sets or studies."""
    rows = _LISTS[what]()
    if json:
        print_json(rows)
        return
    from rich.text import Text

    names = list(rows[0]) if rows else []
    numbers = tuple(n for n in names if all(isinstance(row[n], int) for row in rows))
    grid = table(*names, right=numbers)
    for row in rows:
        cells = [str(row[name]) for name in names]
        grid.add_row(Text(cells[0], style="bold cyan"), *(Text(cell) for cell in cells[1:]))
    answers().print(grid)


def _methods() -> list[dict[str, Any]]:
    from unteach.core import plugins
    from unteach.unlearn import METHODS

    found = {method.__name__: method for method in METHODS} | plugins("unteach.methods")
    return [
        {"name": spelled(name), "claims": _field(method, "Claim"), "what it does": _first(method)}
        for name, method in found.items()
    ]


def _metrics() -> list[dict[str, Any]]:
    from unteach.audit import ALL_METRICS
    from unteach.core import plugins

    found = [*ALL_METRICS, *plugins("unteach.metrics").values()]
    return [{"name": m.name, "role": m.role, "what it measures": _first(m)} for m in found]


def _models() -> list[dict[str, Any]]:
    from .learners import LEARNERS

    ours = [{"name": m.name, "class": m.place, "what it is": m.about} for m in LEARNERS]
    return [
        *ours,
        {
            "name": "MODULE:CLASS",
            "class": "sklearn.svm:SVC",
            "what it is": "any scikit-learn estimator; forgets by retraining",
        },
    ]


def _data() -> list[dict[str, Any]]:
    from unteach.data import DATASETS

    return [
        {"name": d.name, "task": d.task, "records": d.n, "features": d.features, "what": d.about}
        for d in DATASETS
    ]


def _studies() -> list[dict[str, Any]]:
    from unteach.core import plugins
    from unteach.studies import STUDIES

    found = [*STUDIES, *plugins("unteach.studies").values()]
    return [{"name": s.name, "question": s.question} for s in found]


_LISTS = {
    Kind.methods: _methods,
    Kind.metrics: _metrics,
    Kind.models: _models,
    Kind.data: _data,
    Kind.studies: _studies,
}


def _first(thing: Any) -> str:
    """Return the first paragraph of a docstring, as one line.

    >>> _first(Kind)
    'What can be listed.'
    """
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _field(thing: Any, name: str) -> str:
    """Return what a docstring says behind a field such as `Claim`, up to the first stop."""
    lines = (inspect.getdoc(thing) or "").splitlines()
    at = [k for k, line in enumerate(lines) if line.startswith(name)]
    if not at:
        return "its docstring says"
    said = [lines[at[0]].removeprefix(name).strip()]
    for line in lines[at[0] + 1 :]:
        if not line.startswith(" "):
            break
        said.append(line.strip())
    return " ".join(said)
