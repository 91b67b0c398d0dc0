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
        x, y = self.model.pair(self.records.take(np.array([k])))
        return x[0], y[0]


class Loader:
    """What user code goes through for batches (x, y); each time in a new order, seeded.

    It has what such code uses of a `torch.utils.data.DataLoader`: iteration, `len`, `dataset`
    and `batch_size`. Batches are of the model's own size; a single record that would be left over
    joins the batch before it, since modules refuse a batch of one. `given` counts the records
    handed out.
    """

    def __init__(self, model: Any, records: Records, *, seed: int) -> None:
        self.dataset = RecordsDataset(model, records)
        self.batch_size: int = model.how.batch_size
        self.given = 0
        self._seed, self._round = seed, 0

    def __len__(self) -> int:
        n, size = len(self.dataset), self.batch_size
        return -(-n // size) - (n % size == 1 and n > 1)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = stream(self._seed, "round", self._round).permutation(len(self.dataset))
        self._round += 1
        last = len(self) - 1
        for k in range(len(self)):
            start = k * self.batch_size
            rows = order[start:] if k == last else order[start : start + self.batch_size]
            self.given += len(rows)
            yield self.dataset.model.pair(self.dataset.records.take(rows))
