"""Facts: a predicate and its arguments, as they are checked and as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from unteach.core import BadInput

Fact: TypeAlias = tuple[str, ...]  # (predicate, argument, ...), at least one argument

_BARE = re.compile(r"[a-z0-9][\w-]*\Z")


def as_fact(value: Any) -> Fact:
    """Return a fact as a tuple of text, or say what is wrong with it.

    >>> as_fact(["father", "ann", "bob"])
    ('father', 'ann', 'bob')
    """
    if isinstance(value, str) or not isinstance(value, (tuple, list)):
        raise BadInput(
            f"a fact is a tuple (predicate, subject, object), got {value!r}; "
            "parse_fact reads the text form"
        )
    if len(value) < 2:
        raise BadInput(f"a fact has a predicate and at least one argument, got {tuple(value)!r}")
    for part in value:
        if not isinstance(part, str):
            raise BadInput(
                f"fact {tuple(value)!r}: {part!r} is {type(part).__name__}; names are text, "
                f"write {str(part)!r}"
            )
        if not part:
            raise BadInput(f"fact {tuple(value)!r} has an empty part")
    return tuple(str(part) for part in value)


def as_facts(values: Iterable[Any]) -> tuple[Fact, ...]:
    """Return facts in their order, each once."""
    if isinstance(values, str):
        raise BadInput(f"facts are a sequence of tuples, got the one text {values!r}")
    return tuple(dict.fromkeys(as_fact(v) for v in values))


def bare(name: str) -> str:
    """Return a name as the text form writes it: quoted where it could be read as a variable.

    >>> bare("ann"), bare("Ann Lee")
    ('ann', "'Ann Lee'")
    """
    if _BARE.match(name) and name != "not":
        return name
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def written(fact: Fact) -> str:
    """Return a fact as the text form writes it.

    >>> written(("father", "ann", "bob"))
    'father(ann, bob)'
    """
    return f"{bare(fact[0])}({', '.join(map(bare, fact[1:]))})"
