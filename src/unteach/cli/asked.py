"""Who or what is to be forgotten: values from a file, from stdin, or from --id."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unteach.core import BadInput, Corrupt, EmptyRequest, UnknownRecord, read_whole, resembling

from .screen import counted, noted


@dataclass(frozen=True)
class Asked:
    """Values as they were written, and where each stands; none of them is ever printed.

    whole : whether a value names all rows of a group rather than one row
    places : "line 3 of people.txt", one a value
    repeated : how many lines named a value again and were left aside
    """

    whole: bool
    values: tuple[str, ...]
    places: tuple[str, ...]
    repeated: int = 0


def asked_for(
    *,
    ids_file: str | None,
    ids: Sequence[str],
    group: str | None,
    values_from: str | None,
) -> Asked:
    """Return what was asked for, or say which options are needed.

    Each line of a file (or of stdin, for "-") is one value as it is written, spaces around it
    included; blank lines are left aside, and a value that stands on two lines counts once.
    """
    ways = [w for w in (ids_file, ids or None, group or values_from) if w is not None]
    if len(ways) != 1:
        raise BadInput(
            "say what to forget in one way: --ids FILE, --id X (again for more), or "
            "--group COLUMN --values-from FILE; - reads from stdin"
        )
    if ids:
        return _unique(False, [(value, f"--id number {k}") for k, value in enumerate(ids, 1)])
    if ids_file is not None:
        return _unique(False, _lines(ids_file))
    if group is None or values_from is None:
        raise BadInput(
            "--group COLUMN and --values-from FILE belong together (- reads from stdin); a person "
            "is not named on the command line"
        )
    return _unique(True, _lines(values_from))


def found_in(
    asked: Asked, known: Any, *, where: str, skip_missing: bool, notes: list[str] | None = None
) -> tuple[list[Any], int]:
    """Return the values as the data has them, and how many are not in it.

    A value is looked for as it is written, and then without the spaces around it; a note
    (also in `notes`) says how many were found so. Raises `UnknownRecord` when one is not there
    (unless skipped), and always when none is.

    >>> asked = Asked(False, ("7", "99"), ("line 1", "line 2"))
    >>> found_in(asked, np.array([7, 8]), where="the data", skip_missing=True)
    ([7], 1)
    """
    by_text = {str(value): value for value in np.unique(known).tolist()}
    found = {v: v if v in by_text else v.strip() for v in asked.values}
    missing = [
        p for v, p in zip(asked.values, asked.places, strict=True) if found[v] not in by_text
    ]
    total = len(asked.values)
    absent = [v for v in asked.values if found[v] not in by_text]
    near = resembling(absent, by_text) if absent else ""
    hint = f" (did you mean one that differs in {near}?)" if near else ""
    if len(missing) == total:
        forgotten = hint or " (has it been forgotten already?)"
        raise UnknownRecord(
            f"nothing was found: {'the one value is' if total == 1 else f'all {total} values are'} "
            f"not in {where}; nothing was done{forgotten}"
        )
    if missing and not skip_missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise UnknownRecord(
            f"{counted(len(missing), 'value')} of {total} ({shown}) not in {where}{hint}; correct "
            "them, or go on without them with --skip-missing"
        )
    bare = sum(v != f and f in by_text for v, f in found.items())
    if bare:
        with noted() as said:
            warnings.warn(
                f"{counted(bare, 'value')} found without the spaces around what was written",
                UserWarning,
                stacklevel=2,
            )
        if notes is not None:
            notes += said
    return list(dict.fromkeys(by_text[f] for f in found.values() if f in by_text)), len(missing)


def _lines(path: str) -> list[tuple[str, str]]:
    if path == "-":
        if sys.stdin.isatty():
            sys.stderr.write("one value a line, Ctrl-D to end:\n")
        name = "stdin"
        try:
            text = sys.stdin.read().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise BadInput("what came on stdin is not UTF-8 text") from error
    else:
        from unteach.data import decoded

        name = path
        try:
            text = decoded(read_whole(path), path)
        except Corrupt as error:
            raise BadInput(str(error)) from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    placed = [(line, f"line {k} of {name}") for k, line in enumerate(lines, 1)]
    return [(value, place) for value, place in placed if value.strip()]


def _unique(whole: bool, named: list[tuple[str, str]]) -> Asked:
    if not named:
        raise EmptyRequest("there is no value to forget: the list is empty; nothing was done")
    first: dict[str, str] = {}
    for value, place in named:
        first.setdefault(value, place)
    return Asked(whole, tuple(first), tuple(first.values()), len(named) - len(first))
