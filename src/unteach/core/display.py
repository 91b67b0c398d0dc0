"""What a table looks like in a session or a notebook: its first and last rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeAlias

Columns: TypeAlias = Mapping[str, Sequence[Any]]

WIDTH = 100


def cell(value: Any) -> str:
    """Return a value in few characters.

    >>> [cell(v) for v in (0.123456, None, True, 7, "seven")]
    ['0.1235', '', 'True', '7', 'seven']
    """
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 32 else text[:31] + "…"


def chosen(n: int, most: int) -> list[int | None]:
    """Return which rows to show; None stands for those between.

    >>> chosen(3, 4), chosen(9, 4)
    ([0, 1, 2], [0, 1, None, 7, 8])
    """
    if n <= most:
        return list(range(n))
    last = most // 2
    return [*range(most - last), None, *range(n - last, n)]


def as_text(name: str, columns: Columns, *, most: int = 10) -> str:
    """Return a heading and aligned columns, as many as fit.

    >>> print(as_text("dose", {"dose": [0.0, 0.5, 1.0], "who": ["a", "b", "c"]}, most=2))
    dose: 3 rows of dose, who
    dose  who
       0  a
       …  …
       1  c
    """
    n = len(next(iter(columns.values()), []))
    rows = chosen(n, most)
    lines, left = [""] * (len(rows) + 1), 0
    for title, values in columns.items():
        cells = [title, *("…" if k is None else cell(values[k]) for k in rows)]
        wide = max(map(len, cells))
        numbers = all(v is None or isinstance(v, (int, float)) for v in values)
        if len(lines[0]) + wide > WIDTH:
            left += 1
            continue
        gap = "  " if lines[0] else ""
        lines = [
            line + gap + (c.rjust(wide) if numbers else c.ljust(wide))
            for line, c in zip(lines, cells, strict=True)
        ]
    heading = f"{name}: {n} row{'' if n == 1 else 's'} of {', '.join(columns)}"
    if left:
        lines[0] += f"  (and {left} more)"
    return "\n".join([heading, *(line.rstrip() for line in lines)] if columns else [heading])


def as_html(name: str, columns: Columns, caption: str, *, most: int = 20) -> str:
    """Return the same for a notebook, with all columns.

    >>> as_html("dose", {"dose": [0.5]}, "a <b>")[:44]
    '<table><caption>a &lt;b&gt;</caption><tr><th'
    """
    rows = chosen(len(next(iter(columns.values()), [])), most)
    head = "".join(f"<th>{escape(title)}</th>" for title in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{'…' if k is None else escape(cell(v[k]))}</td>" for v in columns.values())
        + "</tr>"
        for k in rows
    )
    return f"<table><caption>{escape(caption or name)}</caption><tr>{head}</tr>{body}</table>"
