"""How results look: pages, tables and figures as values, drawn as one HTML file or in a terminal.

The room knows readings and tables and nothing of where they come from; a page computes nothing.
"""

from ._drawing.picture import Picture, Pictured
from .figures.boundary import Boundary
from .figures.bubbles import Bubbles
from .figures.curves import Curves
from .figures.divided import Divided
from .figures.front import Front
from .figures.gallery import Gallery
from .figures.heatmap import Heatmap
from .figures.histograms import Histograms
from .figures.intervals import Intervals
from .figures.matrix import Matrix
from .figures.raincloud import Raincloud
from .figures.waterfall import Waterfall
from .graphs.hierarchy import Hierarchy
from .graphs.proof_tree import Branch, Tree
from .page.card import Card
from .page.index import Entry, write_index
from .page.page import Block, Drawing, Finding, Page, Verdict
from .page.page_files import page_json, write_page
from .page.page_html import Prose, Section
from .page.readings import Forest, ReadingsBlock
from .page.tables import TableBlock
from .page.terminal import print_page
from .paper import Plate

__all__ = [
    "Block",
    "Boundary",
    "Branch",
    "Bubbles",
    "Card",
    "Curves",
    "Divided",
    "Drawing",
    "Entry",
    "Finding",
    "Forest",
    "Front",
    "Gallery",
    "Heatmap",
    "Hierarchy",
    "Histograms",
    "Intervals",
    "Matrix",
    "Page",
    "Picture",
    "Pictured",
    "Plate",
    "Prose",
    "Raincloud",
    "ReadingsBlock",
    "Section",
    "TableBlock",
    "Tree",
    "Verdict",
    "Waterfall",
    "page_json",
    "print_page",
    "write_index",
    "write_page",
]
