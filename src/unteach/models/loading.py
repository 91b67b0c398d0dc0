"""Loaders: records in the form that torch code expects, pairs of tensors in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from unteach.core import Records, stream


class RecordsDataset(Dataset[tuple[Tensor, Tensor]]):
    """Records as a map-style data set: item k is (x, y), y as the model counts its classes."""

    def __init__(self, model: Any, records: Records) -> None:
        self.model, self.records = model, records

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, k: int) -> tuple[Tensor, Tensor]:
        batch = self.model.batch(self.records.take(np.array([k])))
        return batch.x[0], batch.y[0]


class Loader:
    """What user code goes through for batches (x, y); each time in a new order, seeded.

    It has what such code uses of a `torch.utils.data.DataLoader`: iteration, `len`, `dataset`
    and `batch_size`.
    """

    def __init__(self, model: Any, records: Records, *, seed: int) -> None:
        self.dataset = RecordsDataset(model, records)
        self.batch_size: int = model.how.batch_size
        self._seed, self._round = seed, 0

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = stream(self._seed, "round", self._round)
        self._round += 1
        for batch in self.dataset.model.batches(self.dataset.records, rng):
            yield batch.x, batch.y
