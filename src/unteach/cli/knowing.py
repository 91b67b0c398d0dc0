"""What the commands about knowledge share: their options, and how a base is read."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import value
from .screen import noted

if TYPE_CHECKING:
    from unteach.knowledge import Fact, KnowledgeBase

BaseFile = Annotated[
    Path,
    typer.Argument(metavar="KB", help="Facts: triples (.tsv, .csv), Datalog text, .json, or RDF."),
]
RulesFile = Annotated[Path | None, value("FILE", "Rules: `p(X) :- q(X, Y), X != Y.`")]
BackgroundFile = Annotated[
    Path | None, value("FILE", "Facts that everybody knows and no plan may remove.")
]
AttackerFile = Annotated[
    Path | None, value("FILE", "Rules that whoever asks may know beyond these.")
]
Columns = Annotated[str, value("NAMES", "In which order the parts of a triple stand in a line.")]
ORDER = "subject,predicate,object"


def read_base(
    path: Path, rules: Path | None, background: Path | None, columns: str
) -> KnowledgeBase:
    """Return the knowledge that files hold; rules that can never fire are noted on stderr."""
    from unteach.knowledge import KnowledgeBase

    with noted():
        return KnowledgeBase.load(path, rules or (), background or (), _order(columns))


def _order(columns: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in columns.split(","))


def read_facts(texts: Iterable[str], files: Iterable[Path], columns: str) -> list[Fact]:
    """Return facts from the command line and from files."""
    from unteach.core import BadInput
    from unteach.knowledge import parse_fact, read_knowledge

    facts = [parse_fact(text) for text in texts]
    for path in files:
        with warnings.catch_warnings():  # a header among them is a fact that nobody knows
            warnings.simplefilter("ignore", UserWarning)
            found, rules = read_knowledge(path, _order(columns))
        if rules:
            raise BadInput(f"{path} holds the rule '{rules[0]}' where only facts may stand")
        facts += found
    return facts
