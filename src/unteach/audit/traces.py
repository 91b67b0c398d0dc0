"""Traces: byte patterns that only a forgotten record could have left, and the search for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOATS = ("<f8", ">f8", "<f4", ">f4", "<f2", ">f2")
INTEGERS = ("u1", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8")


@dataclass(frozen=True)
class Trace:
    """A pattern of at least four bytes that belongs to one forgotten record.

    `alone` patterns are proof by themselves; the others (single float32 numbers, which other
    numbers of the same size meet by chance) count when at least three of a record's, and at
    least half of them, are found.
    """

    pattern: bytes
    record: int
    what: str
    alone: bool = True


def traces_of(forget: NDArray[Any], retain: NDArray[Any], targets: Any = None) -> list[Trace]:
    """Return the patterns that forgotten rows would leave and retained rows would not.

    Whole rows in float64, float32, float16 and integers of one to eight bytes, both byte
    orders, unless a retained row looks the same in that encoding or the row has too little in
    it (under four different numbers and under eight changes) to be known again; and single
    numbers that no retained row holds and that need more than three digits: as float64, as
    text, and as float32.

    Parameters
    ----------
    forget, retain : (f, d), (r, d) float64
    targets : (f,) of numbers that no retained record has, NaN elsewhere; None for none

    >>> found = traces_of(np.array([[0.1234, 5.0]]), np.array([[0.5, 5.0]]))
    >>> [t.what for t in found]
    ['number <f8', 'number >f8', 'number <f4', 'number >f4']
    """
    return [*_rows(forget, retain), *_numbers(forget, retain, targets)]


def _rows(forget: NDArray[Any], retain: NDArray[Any]) -> list[Trace]:
    found = []
    rich = [_rich(row) for row in forget]
    for kind in (*FLOATS, *INTEGERS):
        known = {row.tobytes() for row in _encoded(retain, kind) if row is not None}
        for i, row in enumerate(_encoded(forget, kind)):
            if row is None or not rich[i]:
                continue
            raw = row.tobytes()
            if len(raw) >= 12 and raw not in known:
                found.append(Trace(raw, i, f"row {kind}"))
    return found


def _rich(row: NDArray[Any]) -> bool:
    return len(np.unique(row)) >= 4 or int(np.count_nonzero(np.diff(row))) >= 8


def _encoded(rows: NDArray[Any], kind: str) -> list[NDArray[Any] | None]:
    """Return each row in an encoding, or None where that encoding cannot hold it."""
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            coded = (rows + 0.0).astype(dtype)  # + 0.0 makes -0.0 and 0.0 one
        return [row if np.isfinite(row).all() else None for row in coded]
    info = np.iinfo(dtype)
    fits = np.all((rows == np.floor(rows)) & (rows >= info.min) & (rows <= info.max), axis=1)
    return [row.astype(dtype) if ok else None for row, ok in zip(rows, fits, strict=True)]


def _numbers(forget: NDArray[Any], retain: NDArray[Any], targets: Any) -> list[Trace]:
    known = np.unique(retain)
    known4 = np.unique(retain.astype(np.float32))
    found = []
    for i, row in enumerate(forget):
        values = np.unique(row[~np.isin(row, known)])
        if targets is not None and np.isfinite(targets[i]):
            values = np.append(values, targets[i])
        for value in values:
            if not np.isfinite(value) or float(f"{value:.3g}") == value:
                continue
            found += [Trace(value.astype(k).tobytes(), i, f"number {k}") for k in FLOATS[:2]]
            text = repr(float(value)).encode()
            if len(text) >= 8:
                found.append(Trace(text, i, "number as text"))
            small = value.astype(np.float32)
            if np.isfinite(small) and small not in known4:
                found += [
                    Trace(small.astype(k).tobytes(), i, f"number {k}", alone=False)
                    for k in FLOATS[2:4]
                ]
    return found


def search(traces: Iterable[Trace], chunks: Iterable[tuple[str, bytes]]) -> dict[Trace, str]:
    """Return which traces occur anywhere in the bytes, at any alignment, and where.

    >>> t = Trace(np.float64(0.1234).tobytes(), 0, "number <f8")
    >>> search([t], [("memory", b"abc" + t.pattern)])[t]
    'memory'
    """
    wanted = {w: _indexed([t for t in traces if _width(t) == w], w) for w in (4, 8)}
    found: dict[Trace, str] = {}
    for where, raw in chunks:
        for width, (keys, behind) in wanted.items():
            if len(keys) and len(raw) >= width:
                _look(raw, width, keys, behind, where, found)
    return found


def _width(trace: Trace) -> int:
    return 8 if len(trace.pattern) >= 8 else 4


Behind = dict[int, list[tuple[Trace, int]]]


def _indexed(traces: list[Trace], width: int) -> tuple[NDArray[Any], Behind]:
    """Return sorted words to look for, and which traces stand behind each, at which offset."""
    behind: Behind = {}
    for trace in traces:
        starts = range(0, len(trace.pattern) - width + 1, width)
        best = max(starts, key=lambda s: len(set(trace.pattern[s : s + width])))
        word = int.from_bytes(trace.pattern[best : best + width], "little")
        behind.setdefault(word, []).append((trace, best))
    return np.array(sorted(behind), dtype=f"<u{width}"), behind


def _look(
    raw: bytes,
    width: int,
    keys: NDArray[Any],
    behind: Behind,
    where: str,
    found: dict[Trace, str],
) -> None:
    for shift in range(width):
        count = (len(raw) - shift) // width
        words = np.frombuffer(raw, f"<u{width}", count, shift)
        at = np.minimum(np.searchsorted(keys, words), len(keys) - 1)
        for hit in np.flatnonzero(keys[at] == words):
            for trace, offset in behind[int(words[hit])]:
                start = shift + int(hit) * width - offset
                if trace not in found and _is(raw, start, trace):
                    found[trace] = where


def _is(raw: bytes, start: int, trace: Trace) -> bool:
    end = start + len(trace.pattern)
    if start < 0 or raw[start:end] != trace.pattern:
        return False
    if trace.what != "number as text":
        return True
    return not (raw[max(start - 1, 0) : start].isdigit() or raw[end : end + 1].isdigit())


def proven(found: Iterable[Trace], sought: Iterable[Trace]) -> dict[int, Trace]:
    """Return the records whose traces are proof, each with one of them."""
    proof: dict[int, Trace] = {}
    weak: dict[int, set[bytes]] = {}
    for trace in found:
        if trace.alone:
            proof.setdefault(trace.record, trace)
        else:
            weak.setdefault(trace.record, set()).add(_number(trace))
    of: dict[int, set[bytes]] = {}
    some: dict[int, Trace] = {}
    for trace in sought:
        if not trace.alone:
            of.setdefault(trace.record, set()).add(_number(trace))
            some.setdefault(trace.record, trace)
    for record, seen in weak.items():
        if record not in proof and len(seen) >= max(3, len(of[record]) / 2):
            proof[record] = some[record]
    return proof


def _number(trace: Trace) -> bytes:
    """Return a float32 number's bytes in one order, whichever order it was looked for in."""
    return trace.pattern if "<" in trace.what else trace.pattern[::-1]
