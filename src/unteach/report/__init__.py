"""How results look: pages, tables and figures as values, drawn as one HTML file or in a terminal.

The room knows readings and tables and nothing of where they come from; a page computes nothing.
"""

from .boundary import Boundary
from .bubbles import Bubbles
from .card import Card
from .curves import Curves
from .divided import Divided
from .front import Front
from .gallery import Gallery
from .heatmap import Heatmap
from .hierarchy import Hierarchy
from .histograms import Histograms
from .index import Entry, write_index
from .intervals import Intervals
from .matrix import Matrix
from .page import Block, Drawing, Finding, Page, Verdict
from .paper import Plate
from .picture import Picture, Pictured
from .prose import Prose, Section
from .raincloud import Raincloud
from .readings import Forest, ReadingsBlock
from .tables import TableBlock
from .terminal import print_page
from .tree import Branch, Tree
from .waterfall import Waterfall
from .write import page_json, write_page

__all__ = [
    "Block", "Boundary", "Branch", "Bubbles", "Card", "Curves", "Divided", "Drawing", "Entry",
    "Finding", "Forest", "Front", "Gallery", "Heatmap", "Hierarchy", "Histograms", "Intervals",
    "Matrix", "Page", "Picture", "Pictured", "Plate", "Prose", "Raincloud", "ReadingsBlock",
    "Section", "TableBlock", "Tree", "Verdict", "Waterfall", "page_json", "print_page",
    "write_index", "write_page",
]
