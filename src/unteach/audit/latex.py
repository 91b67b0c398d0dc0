"""Tables that go into a paper as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unteach.core import BadInput, Table, visible

_ESCAPED = {
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}


class PaperTable(Table):
    r"""A table that can also be written as LaTeX.

    Examples
    --------
    >>> print(PaperTable("t", {"method": ["a_b"], "area": [0.51234]}).to_latex(digits=2))
    \begin{tabular}{lr}
    \toprule
    method & area \\
    \midrule
    a\_b & 0.51 \\
    \bottomrule
    \end{tabular}
    >>> PaperTable("t", {"q": [1], "p": [2e-5]}).to_latex(columns=["p"]).splitlines()[4]
    '$<$0.001 \\\\'
    """

    def to_latex(self, *, digits: int = 3, columns: Sequence[str] | None = None) -> str:
        """Return a tabular environment (packages: booktabs); numbers with so many decimals.

        columns : only these, in this order; None for all. A p-value too small for the decimals is
        written as less than the smallest that they can show.
        """
        names = list(self.columns) if columns is None else list(columns)
        unknown = [n for n in names if n not in self.columns]
        if unknown or not names:
            raise BadInput(f"no columns {unknown} in {self.name!r}; it has {list(self.columns)}")
        right = ["r" if _numeric(self.columns[n]) else "l" for n in names]
        lines = [
            f"\\begin{{tabular}}{{{''.join(right)}}}",
            "\\toprule",
            _row(names, digits),
            "\\midrule",
            *(_row([_small(r[n], n, digits) for n in names], digits) for r in self.rows()),
            "\\bottomrule",
            "\\end{tabular}",
        ]
        return "\n".join(lines)


def _numeric(values: Any) -> bool:
    return all(
        v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for v in values
    )


def _small(value: Any, name: str, digits: int) -> Any:
    if name != "p" or value is None or value >= 10.0**-digits:
        return value
    return _Raw(f"$<${10.0**-digits:.{digits}f}")


def _row(values: list[Any], digits: int) -> str:
    return " & ".join(_cell(v, digits) for v in values) + r" \\"


class _Raw(str):
    """LaTeX as it stands."""


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, _Raw):
        return value
    if value is None:
        return "--"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return "".join(_ESCAPED.get(c, c) for c in visible(value))
