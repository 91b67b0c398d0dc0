"""Plates: a figure with its tables, ready for a paper."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unteach.core import BadInput, Table, write_whole

from .._drawing.figure import text_width
from .._drawing.picture import NARROW, Picture, Pictured
from ..page.markup import Html, join, tag
from ..page.page import Page
from .paint import FONTS, Painter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN = {1: 234.0, 2: 487.0}  # points, as in papers of two columns
_POINTS = COLUMN[1] / NARROW
_LINE, _GAP = 17.0, 20.0
_UNDATED: dict[str, dict[str, Any]] = {
    ".pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": "unteach"},
    ".svg": {"Date": None, "Creator": "unteach"},
    ".png": {"Software": None},
}


@dataclass(frozen=True)
class Plate:
    """One figure and the tables that it draws; refuses, as a page does, if one is missing.

    Parameters
    ----------
    block : what is drawn, as on a page
    tables : that it reads
    columns : of the paper over which it reaches where `save` is not told otherwise, 1 or 2

    Examples
    --------
    >>> import tempfile
    >>> from unteach.report import Waterfall
    >>> table = Table("bounds", {"epsilon": [0.0, 1.2], "mark": [0.5, 4.0], "limit": [2.0, 2.0]})
    >>> plate = Plate(Waterfall("bounds", "epsilon", "mark", "limit"), (table,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plate.save(Path(folder, "f.pdf")).read_bytes()[:5]
    b'%PDF-'
    """

    block: Pictured
    tables: tuple[Table, ...]
    columns: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        self._columns(None)
        self.page  # noqa: B018  checks that what it draws is there

    @property
    def page(self) -> Page:
        """A page of this figure alone; made, it has been checked."""
        title = self.block.title or "Figure"
        return Page(title, "", (), (self.block,), "", "", {}, tables=self.tables)

    @property
    def caption(self) -> str:
        """Title and caption as plain words, to stand beneath the figure."""
        said = (self.page.say(t).rstrip(".") for t in (self.block.title, self.block.caption) if t)
        return ". ".join(said) + "."

    def picture(self, columns: Literal[1, 2] | None = None) -> Picture:
        """Return the picture at the width of one or two columns."""
        wide = self._columns(columns)
        return self.block.picture(self.page, COLUMN[wide] / _POINTS)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Literal[1, 2] | None = None,
        font: str = "sans",
        dpi: int = 300,
    ) -> Path:
        """Write the figure as .pdf, .svg or .png, and return where it lies; same bytes each time.

        Parameters
        ----------
        columns : 3.25 inches wide, or 6.76; the figure's own if None
        font : "sans" (DejaVu Sans) or "serif" (STIX, for papers set in Times)
        dpi : of a PNG, at least 50

        Raises
        ------
        BadInput : another ending, font or width
        """
        target = Path(path)
        ending = target.suffix.lower()
        if ending not in _UNDATED:
            raise BadInput(f"a figure is saved as one of {list(_UNDATED)}, got {target.name!r}")
        if dpi < 50:
            raise BadInput(f"dpi is at least 50, got {dpi}")
        figure = self.drawn(columns=columns, font=font)
        import matplotlib as mpl

        raw = io.BytesIO()
        with mpl.rc_context(
            {
                "pdf.fonttype": 42,
                "svg.fonttype": "path",
                "svg.hashsalt": "unteach",
                "lines.scale_dashes": True,
                "path.simplify": False,
            }
        ):
            figure.savefig(raw, format=ending[1:], dpi=dpi, metadata=_UNDATED[ending])
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"cannot make the folder {target.parent}: {error.strerror}") from error
        return write_whole(target, raw.getvalue())

    def drawn(self, *, columns: Literal[1, 2] | None = None, font: str = "sans") -> Figure:
        """Return the figure as one of matplotlib's, its units pixels, to be changed by hand."""
        if font not in FONTS:
            raise BadInput(f"font is one of {list(FONTS)}, got {font!r}")
        from matplotlib.figure import Figure

        picture = self.picture(columns)
        lines = _key_lines(picture.key, picture.width)
        above = _LINE * len(lines) + (8.0 if lines else 0.0)
        height = picture.height + above
        inches = _POINTS / 72
        figure = Figure(figsize=(picture.width * inches, height * inches))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(0, picture.width)
        axes.set_ylim(height, 0)
        painter = Painter(axes, _POINTS, font)
        for k, line in enumerate(lines):
            for x, mark, words in line:
                painter.paint(mark, x + 14.0, _LINE * (k + 0.5))
                text = tag("text", words, x=34, y=4, class_="axis-label")
                painter.paint(text, x, _LINE * (k + 0.5))
        painter.paint(join(picture.parts), 0.0, above)
        return figure

    def _columns(self, columns: int | None) -> Literal[1, 2]:
        chosen = self.columns if columns is None else columns
        if chosen not in COLUMN:
            raise BadInput(f"a figure reaches over 1 or 2 columns, got {columns!r}")
        return 1 if chosen == 1 else 2


def _key_lines(
    key: Sequence[tuple[Html, str]], width: float
) -> list[list[tuple[float, Html, str]]]:
    """Return the lines of a key: where each entry starts, its mark and its words."""
    lines: list[list[tuple[float, Html, str]]] = []
    at = 0.0
    for mark, words in key:
        wide = 34.0 + text_width(words)
        if not lines or at + wide > width:
            lines.append([])
            at = 0.0
        lines[-1].append((at, mark, words))
        at += wide + _GAP
    return lines
