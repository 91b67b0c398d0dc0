"""Where records come from: bundled real sets, files, planted worlds with known answers, splits.

Every record gets an id that survives all of them.
"""

from .arrays import rows
from .bundled import DATASETS, Dataset, available, load
from .choosing import pick
from .files.csv_cells import decoded
from .files.tables import cells_of, read_cells, read_table, table_suffix, write_table
from .splits import Parts, Split, divide, draws, split
from .tasks import Tasks
from .token_sequences import sequences, together
from .worlds.long_tail import LongTail, frequencies, long_tail
from .worlds.memorization import memorable
from .worlds.planted import canaries, duplicates, mislabelled, rare
from .worlds.world import World

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
    "cells_of",
    "decoded",
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
    "read_cells",
    "read_table",
    "rows",
    "sequences",
    "split",
    "table_suffix",
    "together",
    "write_table",
]
