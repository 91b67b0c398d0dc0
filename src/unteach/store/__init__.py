"""The project folder: one SQLite file, blobs, and runs that can be killed and resumed.

Everything a study computes is recorded as it comes, so that the same plan never computes twice;
what held training rows can be purged; a damaged or foreign file is named and left untouched.
"""

from __future__ import annotations

from .purge import Purged
from .runs import Run
from .shards import Shard, read_shard, shard_damage, write_shard
from .store import Store
from .summaries import RunSummary
from .verify import Damage

__all__ = [
    "Damage",
    "Purged",
    "Run",
    "RunSummary",
    "Shard",
    "Store",
    "read_shard",
    "shard_damage",
    "write_shard",
]
