"""Knowledge from files: triples, Datalog-like text, JSON and RDF; a broken line is named."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from unteach.core import BadInput, Corrupt, read_whole

from .facts import Fact, as_fact, as_facts
from .rules import Rule
from .text import parse_fact, parse_lines

_RDF = {".nt": "nt", ".ttl": "turtle", ".rdf": "xml", ".xml": "xml", ".n3": "n3",
        ".jsonld": "json-ld"}  # fmt: skip
_PARTS = ("subject", "predicate", "object")
_ORDER = ("predicate", "subject", "object")  # of a fact
_ALSO = {"head": "subject", "source": "subject", "relation": "predicate", "tail": "object",
         "target": "object"}  # fmt: skip
"""Other words that headers use."""


def read_knowledge(
    path: str | os.PathLike[str], columns: Sequence[str] = _PARTS
) -> tuple[list[Fact], list[Rule]]:
    """Return the facts and the rules of a file.

    Parameters
    ----------
    path : its ending says its form; a .txt file whose first line has a tab holds triples
    columns : in which order subject, predicate and object stand in a line of triples; a header
        of these three words says it too, as do head or source, relation, and tail or target

    Raises
    ------
    BadInput : a broken line, by its number, or an ending that says nothing
    Corrupt : a file that is not UTF-8 text
    """
    path = Path(path)
    if sorted(columns) != sorted(_PARTS):
        raise BadInput(f"columns are {_PARTS} in some order, got {tuple(columns)}")
    ending = path.suffix.lower()
    if ending in _RDF:
        return _rdf(path, _RDF[ending]), []
    try:
        text = read_whole(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Corrupt(f"{path} is not UTF-8 text: byte {error.start} cannot be read") from error
    lines = re.split(r"\r\n|\n|\r", text)
    if ending == ".json":
        return _json(text, path), []
    if ending == ".csv":
        return _triples(text, ",", path, columns), []
    first = next((line for line in lines if line.strip() and line.lstrip()[0] not in "%#"), "")
    if ending == ".tsv" or (ending == ".txt" and "\t" in first):
        return _triples(text, "\t", path, columns), []
    if ending in (".dl", ".pl", ".datalog", ".txt", ".rules"):
        return parse_lines(lines, str(path))
    raise BadInput(
        f"{path}: {ending or 'no ending'!r} says no form; it is one of .tsv, .csv, .txt, .dl, "
        f".json, {', '.join(_RDF)}"
    )


def load_rules(rules: str | os.PathLike[str] | Iterable[str | Rule]) -> list[Any]:
    """Return rules from a file or as they are given."""
    if not isinstance(rules, (str, os.PathLike)):
        return list(rules)
    facts, found = read_knowledge(rules)
    if facts:
        raise BadInput(f"{rules} holds the fact {facts[0]!r} where only rules may stand")
    return list(found)


def load_background(
    background: str | os.PathLike[str] | Iterable[Any], columns: Sequence[str]
) -> tuple[Fact, ...]:
    """Return background facts from a file or as they are given."""
    if not isinstance(background, (str, os.PathLike)):
        return as_facts(background)
    facts, rules = read_knowledge(background, columns)
    if rules:
        raise BadInput(f"{background} holds the rule '{rules[0]}' where only facts may stand")
    return as_facts(facts)


def read_answers(path: str | os.PathLike[str]) -> dict[Fact, float]:
    """Return what a model answers: facts and their probabilities, from a CSV file with a header.

    The columns are `fact` (in the text form) or `subject`, `predicate` and `object`, and
    `probability`; without that, and no other column, every fact of the file is said for sure.

    Raises
    ------
    BadInput : a broken line, by its number; columns of another name where no `probability` is
    """
    path = Path(path)
    try:
        text = read_whole(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Corrupt(f"{path} is not UTF-8 text: byte {error.start} cannot be read") from error
    reader = csv.DictReader(io.StringIO(text), strict=True)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if "fact" not in names and not set(_PARTS) <= set(names):
        raise BadInput(
            f"{path}: the header names 'fact', or 'subject', 'predicate' and 'object', and "
            f"'probability'; got {names}"
        )
    strange = [n for n in names if n not in (*_PARTS, "fact", "probability")]
    if strange and "probability" not in names:
        raise BadInput(f"{path}: the header has {', '.join(map(repr, strange))} and no "
                       "'probability'; name that column so")  # fmt: skip
    reader.fieldnames = names
    answers: dict[Fact, float] = {}
    try:
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise BadInput(f"{where}: {len(names)} cells are expected")
            try:
                if "fact" in names:
                    fact = parse_fact(row["fact"])
                else:
                    fact = as_fact((row["predicate"], row["subject"], row["object"]))
                probability = _probability(row.get("probability", "1"))
            except ValueError as error:
                raise BadInput(f"{where}: {error}") from error
            answers[fact] = max(probability, answers.get(fact, 0.0))
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: {error}") from error
    return answers


def _probability(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise BadInput(f"a probability is in [0, 1], got {text!r}")
    return number


def _triples(text: str, comma: str, path: Path, columns: Sequence[str]) -> list[Fact]:
    """Return (predicate, subject, object) of each line; two cells are (predicate, subject)."""
    order = [columns.index(part) for part in _ORDER]
    facts: list[Fact] = []
    if comma == ",":
        reader = csv.reader(io.StringIO(text), strict=True)
    else:
        reader = csv.reader(io.StringIO(text), delimiter=comma, quoting=csv.QUOTE_NONE)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            cells = [cell.strip() for cell in cells]
            number = reader.line_num
            if len(cells) not in (2, 3) or not all(cells):
                raise BadInput(
                    f"{path}, line {number}: expected three names (subject, predicate, object) "
                    f"or two (predicate, subject), got {cells!r}"
                )
            header = [_ALSO.get(cell.lower(), cell.lower()) for cell in cells]
            if not facts and sorted(header) == sorted(_PARTS):
                order = [header.index(part) for part in _ORDER]
                continue
            facts.append(tuple(cells[k] for k in order) if len(cells) == 3 else tuple(cells))
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: {error}") from error
    return facts


def _json(text: str, path: Path) -> list[Fact]:
    """Return facts of a JSON list of lists, [predicate, subject, object]."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}, line {error.lineno}: {error.msg}") from error
    if not isinstance(data, list):
        raise BadInput(f"{path}: expected a JSON list of [predicate, subject, object]")
    facts = []
    for number, entry in enumerate(data, 1):
        try:
            facts.append(as_fact(entry))
        except BadInput as error:
            raise BadInput(f"{path}, entry {number}: {error}") from error
    return facts


def _rdf(path: Path, form: str) -> list[Fact]:
    """Return (predicate, subject, object) of each statement, in the order of their text."""
    try:
        import rdflib
    except ImportError as error:
        raise BadInput(f"{path} is RDF, which needs rdflib: pip install 'unteach[rdf]'") from error
    raw = read_whole(path)
    graph = rdflib.Graph()
    try:
        graph.parse(data=raw, format=form)
    except UnicodeDecodeError as error:
        raise Corrupt(f"{path} is not UTF-8 text: byte {error.start} cannot be read") from error
    except (rdflib.exceptions.Error, SyntaxError, ValueError) as error:
        where = _broken_line(rdflib, raw, form, error)
        said = " ".join(str(error).split())[:160]
        raise BadInput(f"{path}{where}: {said}") from error
    return sorted((str(p), str(s), str(o)) for s, p, o in graph)


def _broken_line(rdflib: Any, raw: bytes, form: str, error: BaseException) -> str:
    """Return which line of an RDF file is broken, where it can be told."""
    given = getattr(error, "lines", None)
    if isinstance(given, int):
        return f", line {given + 1}"
    if form != "nt":
        return ""
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        try:
            rdflib.Graph().parse(data=line, format="nt")
        except (rdflib.exceptions.Error, SyntaxError, ValueError):
            return f", line {number}"
    return ""
