"""Facts: a predicate and its arguments, as they are checked and as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from unteach.core import CONTROL, BadInput

Fact: TypeAlias = tuple[str, ...]  # (predicate, argument, ...), at least one argument

_BARE = re.compile(r"[a-z0-9][\w-]*\Z")
"""What stands in no name: control characters, and halves of a character."""
LITERAL = r"@[A-Za-z]+(?:-[A-Za-z0-9]+)*|\^\^(?:xsd:\w+|<[^<>\"\s]+>)"
"""What follows the quoted text of an RDF literal: its language, or its type."""
_LITERAL = re.compile(rf'("(?:[^"\\]|\\.)*")({LITERAL})\Z')
XSD = "http://www.w3.org/2001/XMLSchema#"


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
        check_name(part)
    return tuple(str(part) for part in value)


def check_name(name: str) -> None:
    """Raise `BadInput` for a name that nobody could read on a screen or write in a file."""
    if found := CONTROL.search(name):
        raise BadInput(
            f"the name {name!r} holds the control character {found.group()!r}; leave it out"
        )


def as_facts(values: Iterable[Any]) -> tuple[Fact, ...]:
    """Return facts in their order, each once."""
    if isinstance(values, str):
        raise BadInput(f"facts are a sequence of tuples, got the one text {values!r}")
    return tuple(dict.fromkeys(as_fact(v) for v in values))


def literal(quoted: str, suffix: str) -> str:
    r"""Return the name of an RDF literal: its text in quotes, and its language or type.

    Text without either is of the type `xsd:string`; languages are the same in small and capital
    letters.

    >>> literal('"gift"', "@EN"), literal('"7"', f"^^<{XSD}integer>")
    ('"gift"@en', '"7"^^xsd:integer')
    """
    if suffix.startswith("@"):
        return quoted + suffix.lower()
    suffix = re.sub(rf"\A\^\^<{re.escape(XSD)}(\w+)>\Z", r"^^xsd:\1", suffix)
    return quoted if suffix == "^^xsd:string" else quoted + suffix


def bare(name: str) -> str:
    """Return a name as the text form writes it: quoted where it could be read as a variable.

    >>> bare("ann"), bare("Ann Lee"), bare('"gift"@en')
    ('ann', "'Ann Lee'", '"gift"@en')
    """
    if _BARE.match(name) and name != "not":
        return name
    typed = _LITERAL.match(name)
    if typed and literal(*typed.groups()) == name:
        return name
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def written(fact: Fact) -> str:
    """Return a fact as the text form writes it.

    >>> written(("father", "ann", "bob"))
    'father(ann, bob)'
    """
    return f"{bare(fact[0])}({', '.join(map(bare, fact[1:]))})"
