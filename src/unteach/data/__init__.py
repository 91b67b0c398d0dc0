"""Where records come from: bundled real sets, files, planted worlds with known answers, splits.

Every record gets an id that survives all of them.
"""

from .arrays import rows
from .bundled import DATASETS, Dataset, available, load
from .longtail import LongTail, frequencies, long_tail
from .memorization import memorable
from .picking import pick
from .planted import canaries, duplicates, mislabelled, rare
from .sequences import sequences, together
from .splits import Parts, Split, divide, draws, split
from .tables import read_table, write_table
from .tasks import Tasks
from .worlds import World

__all__ = [
    "DATASETS",
    "Dataset",
    "LongTail",
    "Parts",
    "Split",
    "Tasks",
    "World",
    "available",
    "canaries",
    "divide",
    "draws",
    "duplicates",
    "frequencies",
    "load",
    "long_tail",
    "memorable",
    "mislabelled",
    "pick",
    "rare",
    "read_table",
    "rows",
    "sequences",
    "split",
    "together",
    "write_table",
]
