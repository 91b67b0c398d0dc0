"""Plugins: methods, metrics and learners that other packages offer by entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from .errors import BadInput

GROUPS = ("unteach.methods", "unteach.metrics", "unteach.learners", "unteach.studies")


def plugins(group: str) -> dict[str, Any]:
    """Return what other installed packages register under a group, by name.

    Nothing is loaded at import time; this is called by the command line and by whoever asks.

    >>> plugins("unteach.metrics")
    {}
    """
    if group not in GROUPS:
        raise BadInput(f"no plugin group {group!r}; there are {GROUPS}")
    return {point.name: point.load() for point in entry_points(group=group)}
