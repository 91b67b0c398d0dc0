"""How results look: pages, tables and figures as values, drawn as one HTML file or in a terminal.

The room knows readings and tables and nothing of where they come from; a page computes nothing.
"""

from .boundary import Boundary
from .curves import Curves
from .divided import Divided
from .front import Front
from .gallery import Gallery
from .heatmap import Heatmap
from .hierarchy import Hierarchy
from .index import Entry, write_index
from .matrix import Matrix
from .page import Block, Drawing, Finding, Page, Verdict
from .prose import Prose, Section
from .readings import Forest, ReadingsBlock
from .shares import Shares
from .tables import TableBlock
from .terminal import print_page
from .tree import Branch, Tree
from .write import page_json, write_page

__all__ = [
    "Block", "Boundary", "Branch", "Curves", "Divided", "Drawing", "Entry", "Finding", "Forest",
    "Front", "Gallery", "Heatmap", "Hierarchy", "Matrix", "Page", "Prose", "ReadingsBlock",
    "Section", "Shares", "TableBlock", "Tree", "Verdict", "page_json", "print_page", "write_index",
    "write_page",
]
