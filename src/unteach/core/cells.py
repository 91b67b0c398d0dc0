"""Cells of tables that are written for people: text that neither runs, nor steers, nor turns."""

from __future__ import annotations

import re
import unicodedata

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")  # spreadsheets take the wide ones too
_NEXT = re.compile(r";(?=\s*[=+\-@＝＋－＠])")  # where ";" parts cells
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|inf)", re.ASCII | re.IGNORECASE)
_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that stand in no name: of control, and halves of surrogate pairs."""


def visible(text: object) -> str:
    r"""Return text whose invisible characters (of control, of direction) are written as escapes.

    >>> print(visible("a\x1b[31mb \u202e"))
    a\x1b[31mb \u202e
    """
    text = str(text)
    return text if text.isprintable() else "".join(map(_seen, text))


def quoted(text: str) -> str:
    r"""Return a text as the cell of a table that a spreadsheet or a terminal may open.

    A text that would run as a formula, or holds characters that cannot be seen, gets an
    apostrophe before it, and these characters are written as escapes. Anything else stays as it
    is, numbers too. `unquoted` gives the text back, whatever it was.

    >>> print(quoted("ann"), quoted("-0.5"), quoted("=1+1"), quoted("a\x1b[31mb"))
    ann -0.5 '=1+1 'a\x1b[31mb
    """
    harmless = text.isprintable() and not text.startswith("'")
    if harmless and (_NUMBER.fullmatch(text) or not (_FORMULA.match(text) or _NEXT.search(text))):
        return text
    return "'" + _NEXT.sub(r"\\x3b", visible(text.replace("\\", "\\\\")))


def unquoted(cell: str) -> str:
    r"""Return the text of a cell that `quoted` wrote.

    >>> unquoted("'=1+1"), unquoted("ann"), unquoted("'a\\x1b") == "a\x1b"
    ('=1+1', 'ann', True)
    """
    return _ESCAPE.sub(_meant, cell[1:]) if cell.startswith("'") else cell


def _seen(character: str) -> str:
    if character == " " or unicodedata.category(character)[0] not in "CZ":
        return character
    code = ord(character)
    kind, digits = ("x", 2) if code < 2**8 else ("u", 4) if code < 2**16 else ("U", 8)
    return f"\\{kind}{code:0{digits}x}"


def _meant(found: re.Match[str]) -> str:
    what = found[1]
    return what if what == "\\" else chr(int(what[1:], 16))
