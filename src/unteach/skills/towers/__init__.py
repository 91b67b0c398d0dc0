"""Towers of skills: those that ship, and those that people bring as a file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from unteach.core import BadInput

from ..graph.skill_graph import SkillGraph
from .linear_algebra import linear_algebra
from .lists import lists
from .spec import load_tower

TOWERS: dict[str, Callable[..., SkillGraph]] = {"linear-algebra": linear_algebra, "lists": lists}
"""The towers that ship, by name."""


def tower(name: str, **options: Any) -> SkillGraph:
    """Return a tower that ships, its programs checked on all inputs; made once a process.

    Parameters
    ----------
    name : "linear-algebra" (option p, a prime, 7 where none is given) or "lists" (option letters)

    Errors : BadInput for another name or another option

    Examples
    --------
    >>> tower("lists", letters=3).name
    'lists'
    """
    if name not in TOWERS:
        raise BadInput(
            f"no tower is called {name!r}; there are {sorted(TOWERS)}, and load_tower(path) "
            "reads one of your own"
        )
    if name == "linear-algebra":
        options = {"p": 7} | options
    return _made(name, tuple(sorted(options.items())))


@functools.lru_cache(maxsize=8)
def _made(name: str, options: tuple[tuple[str, Any], ...]) -> SkillGraph:
    try:
        return TOWERS[name](**dict(options))
    except TypeError as error:
        raise BadInput(f"the tower {name!r} does not take {dict(options)}: {error}") from error


__all__ = ["TOWERS", "linear_algebra", "lists", "load_tower", "tower"]
