"""unteach removes chosen training data from a model, checks the result, and shows what it cost.

    Records -> learn -> model -> forget(request) -> Forgotten -> audit -> readings -> report

The rooms are `core` (values and contracts), `data`, `store`, `stats`, `kernel` (the exact kernel
machine), `models`, `engine`, `report`, `unlearn` (the methods), `memorize`, `knowledge`,
`skills`, `audit`, `studies`, `checks` (the public conformance suite) and `cli`. They load when
they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core import Certified, Exact, Forgotten, Heuristic, Request, Rows
    from .models import learn, load, save
    from .unlearn import forget

__version__ = "0.1.0"

_ROOMS = (
    "audit",
    "checks",
    "cli",
    "core",
    "data",
    "engine",
    "kernel",
    "knowledge",
    "memorize",
    "models",
    "report",
    "skills",
    "stats",
    "store",
    "studies",
    "unlearn",
)
_NAMES = {
    "Certified": "core",
    "Exact": "core",
    "Forgotten": "core",
    "Heuristic": "core",
    "Request": "core",
    "Rows": "core",
    "forget": "unlearn",
    "learn": "models",
    "load": "models",
    "save": "models",
}

__all__ = [
    "Certified",
    "Exact",
    "Forgotten",
    "Heuristic",
    "Request",
    "Rows",
    "forget",
    "learn",
    "load",
    "save",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS, *_NAMES])
