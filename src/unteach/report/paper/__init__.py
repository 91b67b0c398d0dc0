"""Figures as files for a paper: the same drawings as on pages, painted by matplotlib.

PDF with embedded fonts, SVG and PNG; the same figure gives the same bytes. Colours and strokes are
read from the style sheet of the pages. Needs the `plot` extra.
"""

from .plate import Plate

__all__ = ["Plate"]
