"""How scores of records look in a notebook and in a terminal: the most and the least."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from unteach.core import visible

if TYPE_CHECKING:
    from rich.table import Table as Grid

SHOWN = 8


class Shown(ABC):
    """A mixin for what has ids, values and intervals: `repr`, HTML for notebooks, rich."""

    ids: Any
    value: Any
    low: Any
    high: Any

    @abstractmethod
    def _lines(self) -> tuple[str, str]:
        """Return a title and a note."""

    def _some(self) -> list[int]:
        order = np.argsort(-np.asarray(self.value), kind="stable")
        if len(order) <= 2 * SHOWN:
            return [int(i) for i in order]
        return [int(i) for i in (*order[:SHOWN], *order[-SHOWN:])]

    def __repr__(self) -> str:
        title, note = self._lines()
        return f"{title}; {note}"

    def _repr_html_(self) -> str:
        title, note = self._lines()
        rows = []
        for i in self._some():
            value, low, high = float(self.value[i]), float(self.low[i]), float(self.high[i])
            share = 100 * min(1.0, max(0.0, value))
            bar = (
                '<div style="width:8em;background:#8883">'
                f'<div style="width:{share:.0f}%;background:#4878d0">&nbsp;</div></div>'
            )
            rows.append(
                f"<tr><td>{escape(visible(self.ids[i]))}</td><td>{bar}</td><td>{value:.3f}</td>"
                f"<td>[{low:.3f}, {high:.3f}]</td></tr>"
            )
        head = "<tr><th>id</th><th></th><th>value</th><th>interval</th></tr>"
        return (
            f"<div><b>{escape(title)}</b><br>{escape(note)}"
            f"<table>{head}{''.join(rows)}</table></div>"
        )

    def __rich__(self) -> Grid:
        from rich.table import Table as Grid
        from rich.text import Text

        title, note = self._lines()
        grid = Grid("id", "", "value", "interval", title=title, caption=note)
        for i in self._some():
            bar = "█" * round(16 * min(1.0, max(0.0, float(self.value[i]))))
            ends = f"[{self.low[i]:.3f}, {self.high[i]:.3f}]"
            name = Text(visible(self.ids[i]))
            grid.add_row(name, bar, f"{self.value[i]:.3f}", ends.replace("[", r"\["))
        return grid
