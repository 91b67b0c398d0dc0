"""Tables that go into a paper as they are."""

from __future__ import annotations

from typing import Any

from unteach.core import Table

_ESCAPED = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}"}


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
    """

    def to_latex(self, *, digits: int = 3) -> str:
        """Return a tabular environment (packages: booktabs); numbers with so many decimals."""
        names = list(self.columns)
        right = ["r" if _numeric(self.columns[n]) else "l" for n in names]
        lines = [f"\\begin{{tabular}}{{{''.join(right)}}}", "\\toprule", _row(names, digits),
                 "\\midrule", *(_row(list(r.values()), digits) for r in self.rows()),
                 "\\bottomrule", "\\end{tabular}"]  # fmt: skip
        return "\n".join(lines)


def _numeric(values: Any) -> bool:
    return all(v is None or (isinstance(v, (int, float)) and not isinstance(v, bool))
               for v in values)  # fmt: skip


def _row(values: list[Any], digits: int) -> str:
    return " & ".join(_cell(v, digits) for v in values) + r" \\"


def _cell(value: Any, digits: int) -> str:
    if value is None:
        return "--"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return "".join(_ESCAPED.get(c, c) for c in str(value))
