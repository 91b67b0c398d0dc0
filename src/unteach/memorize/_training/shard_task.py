"""The task: train a range of models and write a shard; the same range gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from unteach.core import Corrupt, Saved, digest, read_whole

from .learner_adapter import margins, outputs
from .subset_design import Design, Kind

KIND = "unteach.memorize:records"


@dataclass(frozen=True)
class Place:
    """Where a worker finds what it needs, and where it leaves what it makes.

    Payloads and results are the same on every machine; this is what differs.

    folder : of the project · run : whose shards · blob, checksum : of the records
    """

    folder: str
    run: str
    blob: str
    checksum: str
    learner: Any
    seed: int
    design: Kind


def train_range(place: Place, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Train models first to last - 1 on their subsets, and write what they got right.

    payload : {"fraction": "1/2", "first": 0, "last": 128}
    Returns the payload and {"shard": name, "checksum": of its bytes, "models": how many,
    "outputs": "logits" or "scores"}.
    """
    from unteach.store import Shard, write_shard

    data = _records(place.folder, place.blob, place.checksum)
    x, y, at, answers = data["x"], data["y"], data["at"], data["answers"]
    fraction, first, last = Fraction(payload["fraction"]), payload["first"], payload["last"]
    design = Design(len(y), fraction, place.seed, place.design)
    members, seeds = design.members(first, last), design.seeds(first, last)
    found, kind = outputs(place.learner, x, y, members, seeds, at)
    right = found.argmax(axis=2) == answers
    shard = Shard(first, members, right, margins(found, answers, kind), seeds)
    name = shard_name(place.run, fraction, first, last)
    checksum = write_shard(Path(place.folder), name, shard)
    told = {"shard": name, "checksum": checksum, "models": last - first, "outputs": kind}
    return {**payload, **told}


def shard_name(run: str, fraction: Fraction, first: int, last: int) -> str:
    """Return the name of a shard; it begins with its run's.

    >>> shard_name("ab12", Fraction(1, 2), 0, 128)
    'ab12-1of2-0000000-0000128.shard'
    """
    ratio = f"{fraction.numerator}of{fraction.denominator}"
    return f"{run}-{ratio}-{first:07d}-{last:07d}.shard"


def packed(x: Any, y: Any, at: Any, answers: Any) -> bytes:
    """Return the records and the queries as bytes."""
    return Saved(KIND, {}, {"x": x, "y": y, "at": at, "answers": answers}).to_bytes()


def forget_records() -> None:
    """Drop the records that this process keeps from task to task."""
    _records.cache_clear()


@lru_cache(maxsize=1)
def _records(folder: str, blob: str, checksum: str) -> Mapping[str, Any]:
    path = Path(folder) / "blobs" / blob
    raw = read_whole(path)
    if digest(raw) != checksum:
        raise Corrupt(f"{path} is damaged (its checksum is another); it is left as it is")
    arrays = dict(Saved.from_bytes(raw, where=str(path)).arrays)
    arrays["at"] = np.concatenate([arrays["x"], arrays["at"]])
    arrays["answers"] = np.concatenate([arrays["y"], arrays["answers"]])
    return arrays
