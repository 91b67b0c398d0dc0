"""Shards: what a range of models got right, one immutable file each, checked when read.

A shard holds, for 64 to 256 models: which records each was trained on, for which queries its
answer was right (both as packed bits), the margins of all answers as float16, and the seeds. It
holds neither rows nor ids: a record is a position. Yet every column tells of a record, and every
model of the records it was trained on; so a purge takes shards whole, never a column of one.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import BadInput, Corrupt, Saved
from .files import damage_of, read_file, write_file

KIND = "unteach.store.shards:Shard"
_LARGEST = 65504.0  # of float16


@dataclass(frozen=True)
class Shard:
    """The outcomes of models `first` to `first + m - 1`.

    Parameters
    ----------
    first : the number of the first model
    members : (m, n) bool, which records each model was trained on
    correct : (m, q) bool, whether its answer on each query was right
    margins : (m, q) numbers, kept as float16: how strongly it held the right answer
    seeds : (m,) uint64

    Examples
    --------
    >>> shard = Shard(0, np.eye(2, dtype=bool), np.ones((2, 3), bool), np.zeros((2, 3)),
    ...               np.arange(2, dtype=np.uint64))
    >>> back = Shard.from_bytes(shard.to_bytes())
    >>> bool((back.members == shard.members).all()), back.correct.shape
    (True, (2, 3))
    """

    first: int
    members: NDArray[np.bool_]
    correct: NDArray[np.bool_]
    margins: NDArray[Any]
    seeds: NDArray[np.uint64]

    def __post_init__(self) -> None:
        m = len(self.seeds)
        shapes = [np.shape(a) for a in (self.members, self.correct, self.margins)]
        if any(len(s) != 2 or s[0] != m for s in shapes) or shapes[1] != shapes[2]:
            raise BadInput(f"a shard of {m} models has arrays of shapes {shapes}")
        with np.errstate(over="ignore"):
            small = np.clip(self.margins, -_LARGEST, _LARGEST).astype(np.float16)
        if not np.isfinite(small).all():
            raise BadInput(
                f"models {self.first} to {self.first + m - 1} gave margins that are not numbers; "
                "did a training diverge? Lower its learning rate"
            )
        object.__setattr__(self, "margins", small)

    def __len__(self) -> int:
        return len(self.seeds)

    def to_bytes(self) -> bytes:
        """Return the file's bytes; the same outcomes give the same bytes."""
        n, q = self.members.shape[1], self.correct.shape[1]
        arrays = {
            "members": np.packbits(self.members, axis=1),
            "correct": np.packbits(self.correct, axis=1),
            "margins": np.asarray(self.margins),
            "seeds": np.asarray(self.seeds, dtype=np.uint64),
        }
        header = {"first": int(self.first), "records": n, "queries": q}
        return Saved(KIND, header, arrays).to_bytes()

    @classmethod
    def from_bytes(cls, raw: bytes, *, where: str = "the file") -> Shard:
        """Return the shard that `to_bytes` wrote; anything else raises `Corrupt`."""
        saved = Saved.from_bytes(raw, where=where)
        try:
            first, n, q = (int(saved.config[k]) for k in ("first", "records", "queries"))
            members = np.unpackbits(saved.arrays["members"], axis=1, count=n).astype(bool)
            correct = np.unpackbits(saved.arrays["correct"], axis=1, count=q).astype(bool)
            return cls(first, members, correct, saved.arrays["margins"], saved.arrays["seeds"])
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(f"{where} is not a shard of outcomes: {error}") from error


def write_shard(folder: Path, name: str, shard: Shard) -> str:
    """Write a shard into a project's `shards/`, whole or not at all; return its checksum.

    The name begins with the id of its run, so that a purge of the run finds it. A file of that
    name is replaced.
    """
    raw = shard.to_bytes()
    write_file(folder / "shards" / name, raw)
    return _sha256(raw)


def read_shard(folder: Path, name: str, checksum: str) -> Shard:
    """Return a shard whose bytes are those that were written; else raise `Corrupt` naming it."""
    wrong = shard_damage(folder, name, checksum)
    path = folder / "shards" / name
    if wrong:
        raise Corrupt(f"{path} {wrong}; run the same models again to compute it anew")
    return Shard.from_bytes(read_file(path), where=str(path))


def shard_damage(folder: Path, name: str, checksum: str) -> str:
    """Say what is wrong with a shard's file, or nothing."""
    path = folder / "shards" / name
    return damage_of(path, lambda raw: hmac.compare_digest(_sha256(raw), checksum))


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
