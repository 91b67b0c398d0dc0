"""Knowledge from files: triples, Datalog-like text, JSON and RDF; a broken line is named."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from unteach.core import BadInput, Corrupt, read_whole

from .datalog_text import parse_fact, parse_text
from .facts import Fact, as_fact, as_facts, written
from .rdf import FORMS, rdf_facts
from .rules import Rule

_PARTS = ("subject", "predicate", "object")
_ORDER = ("predicate", "subject", "object")  # of a fact
_ALSO = {
    "head": "subject",
    "source": "subject",
    "relation": "predicate",
    "tail": "object",
    "target": "object",
}
"""Other words that headers use."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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
    UserWarning : a first line of triples that may be a header in other words
    """
    path = Path(path)
    if sorted(columns) != sorted(_PARTS):
        raise BadInput(f"columns are {_PARTS} in some order, got {tuple(columns)}")
    ending = path.suffix.lower()
    if FORMS.get(ending) == "xml":  # says its own encoding
        return rdf_facts(read_whole(path), "xml", path), []
    if ending in FORMS:
        text = _decoded(path)
        document = _json(text, path) if ending == ".jsonld" else None
        return rdf_facts(text.encode(), FORMS[ending], path, document), []
    text = _text(path)
    if ending == ".json":
        return _entries(_json(text, path), path), []
    lines = text.split("\n")
    if ending == ".csv":
        return _triples(text, ",", path, columns), []
    first = next((line for line in lines if line.strip() and line.lstrip()[0] not in "%#"), "")
    if ending == ".tsv" or (ending == ".txt" and "\t" in first):
        return _triples(text, "\t", path, columns), []
    if ending in (".dl", ".pl", ".datalog", ".txt", ".rules"):
        return parse_text(text, str(path))
    raise BadInput(
        f"{path}: {ending or 'no ending'!r} says no form; it is one of .tsv, .csv, .txt, .dl, "
        f".json, {', '.join(FORMS)}"
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
    `probability`; without that, and no other column, every fact of the file is said for sure. Of
    a fact that stands there several times, the highest probability counts.

    Raises
    ------
    BadInput : a broken line, by its number; a column that is named twice; columns of another
        name where no `probability` is
    """
    path = Path(path)
    text = _text(path)
    reader = csv.DictReader(io.StringIO(text), strict=True, skipinitialspace=True)
    answers: dict[Fact, float] = {}
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        _check_header(names, path)
        reader.fieldnames = names
        for row in reader:
            if None in row or None in row.values():
                raise BadInput(f"{path}, line {reader.line_num}: {len(names)} cells are expected")
            try:
                fact, probability = _answer(row)
            except ValueError as error:
                raise BadInput(f"{path}, line {reader.line_num}: {error}") from error
            answers[fact] = max(probability, answers.get(fact, 0.0))
    except csv.Error as error:
        raise BadInput(f"{path}, line {max(1, reader.line_num)}: {error}") from error
    return answers


def _check_header(names: Sequence[str], path: Path) -> None:
    """Refuse a header of answers that lacks what is needed, or says it twice."""
    if "fact" not in names and not set(_PARTS) <= set(names):
        raise BadInput(
            f"{path}: the header names 'fact', or 'subject', 'predicate' and 'object', and "
            f"'probability'; got {list(names)}"
        )
    twice = [n for n in (*_PARTS, "fact", "probability") if names.count(n) > 1]
    if twice:
        raise BadInput(f"{path}: the header names {twice[0]!r} twice; leave one of them out")
    strange = [n for n in names if n not in (*_PARTS, "fact", "probability")]
    if strange and "probability" not in names:
        raise BadInput(
            f"{path}: the header has {', '.join(map(repr, strange))} and no "
            "'probability'; name that column so"
        )


def _answer(row: dict[str, str]) -> tuple[Fact, float]:
    """Return the fact and the probability of a line of answers."""
    told = [parse_fact(row["fact"])] if "fact" in row else []
    if set(_PARTS) <= set(row):
        told.append(as_fact([row[part].strip() for part in _ORDER]))
    if told[0] != told[-1]:
        raise BadInput(
            f"{written(told[0])} is the fact and {written(told[1])} its parts; leave "
            "the column that is wrong out"
        )
    probability = number(row.get("probability", "1"))
    if not 0 <= probability <= 1:
        raise BadInput(f"a probability is in [0, 1], got {row['probability']!r}")
    return told[0], probability


def number(text: str) -> float:
    """Return the number that a cell holds: the digits 0 to 9, a point, an exponent, nothing else.

    >>> number(" 2.5e-1"), number("0_1"), number("nan")
    (0.25, nan, nan)
    """
    return float(text) if _NUMBER.fullmatch(text.strip(" \t")) else math.nan


def _decoded(path: Path) -> str:
    try:
        return read_whole(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Corrupt(f"{path} is not UTF-8 text: byte {error.start} cannot be read") from error


def _text(path: Path) -> str:
    """Return the text of a file without control characters, its lines ended by a line feed."""
    text = re.sub(r"\r\n?", "\n", _decoded(path))
    if strange := _UNREADABLE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        raise BadInput(
            f"{path}, line {line}: holds the control character {strange.group()!r}; leave it out"
        )
    return text


def _triples(text: str, comma: str, path: Path, columns: Sequence[str]) -> list[Fact]:
    """Return (predicate, subject, object) of each line; two cells are (predicate, subject)."""
    orders = {3: [columns.index(part) for part in _ORDER], 2: [0, 1]}
    facts: list[Fact] = []
    first = 0
    if comma == ",":
        reader = csv.reader(io.StringIO(text), strict=True, skipinitialspace=True)
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
            if header := _header(cells):
                if first:
                    raise BadInput(
                        f"{path}, line {number}: {cells!r} is a header, and stands "
                        "below others; leave it out"
                    )
                first = -number
                orders[len(cells)] = [header.index(part) for part in _ORDER[: len(cells)]]
                continue
            first = first or number
            try:
                facts.append(as_fact([cells[k] for k in orders[len(cells)]]))
            except BadInput as error:
                raise BadInput(f"{path}, line {number}: {error}") from error
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: {error}") from error
    if first > 0:
        _note_header(facts, f"{path}, line {first}")
    return facts


def _header(cells: Sequence[str]) -> list[str]:
    """Return the parts that a header names, or nothing for a fact."""
    named = [_ALSO.get(cell.lower(), cell.lower()) for cell in cells]
    return named if sorted(named) == sorted(_ORDER[: len(cells)]) else []


def _note_header(facts: Sequence[Fact], where: str) -> None:
    """Note a first fact that shares no name with the others: it may be a header."""
    if len(facts) < 2 or len(facts[0]) != 3:
        return
    others = {name for fact in facts[1:] for name in fact}
    if others.isdisjoint(facts[0]):
        warnings.warn(
            f"{where}: {written(facts[0])} is read as a fact, and none of its names stands "
            "elsewhere in the file; if it is a header, call its columns subject, predicate and "
            "object, or leave it out",
            stacklevel=4,
        )


def _json(text: str, path: Path) -> Any:
    """Return what a JSON file holds; names that stand twice in an object are refused."""

    def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise BadInput(f"{path}: {twice!r} stands twice in one object; leave one of them out")
        return found

    def refuse(what: str) -> Any:
        raise BadInput(f"{path}: {what} is no number of JSON")

    def finite(digits: str) -> float:
        return float(digits) if math.isfinite(float(digits)) else refuse(digits)

    try:
        return json.loads(
            text, object_pairs_hook=unrepeated, parse_constant=refuse, parse_float=finite
        )
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}, line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise BadInput(f"{path}: it is nested too deeply") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise error if isinstance(error, BadInput) else BadInput(f"{path}: {error}") from error


def _entries(data: Any, path: Path) -> list[Fact]:
    """Return facts of a JSON list of lists, [predicate, subject, object]."""
    if not isinstance(data, list):
        raise BadInput(f"{path}: expected a JSON list of [predicate, subject, object]")
    facts = []
    for number, entry in enumerate(data, 1):
        try:
            facts.append(as_fact(entry))
        except BadInput as error:
            raise BadInput(f"{path}, entry {number}: {error}") from error
        if _header(facts[-1]):
            raise BadInput(
                f"{path}, entry {number}: {entry!r} is a header, and a list of facts "
                "has none; leave it out"
            )
    _note_header(facts, f"{path}, entry 1")
    return facts
