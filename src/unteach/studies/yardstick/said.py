"""What the models of an arm say: all that the definitions read of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Said:
    """What N models of one arm say; every field has the models along its first axis.

    margins, held, kept : (N, f), (N, h), (N, k) logit margins on forgotten, held-out and kept
    p : (N, f, c) probabilities on the forgotten · accuracies : (N, 3) on forget, retain, test
    weights : (N, p) · curves : (N, steps + 1) accuracy on the forgotten while they are relearned
    member, entropy : (N,) areas of one threshold for all records, by margin and modified entropy
    caught : (N,) share of the forgotten that the best such threshold takes for members
    ratio : (N,) mean RMIA score · ignorance : (N,) ZRF · loss : (N,) log loss on the forgotten
    probe : (N,) accuracy of reading the labels off the hidden layer; NaN where it was not tried
    """

    margins: Array
    held: Array
    kept: Array
    p: Array
    accuracies: Array
    weights: Array
    curves: Array
    member: Array
    entropy: Array
    caught: Array
    ratio: Array
    ignorance: Array
    loss: Array
    probe: Array

    def __len__(self) -> int:
        return len(self.margins)

    def take(self, at: Any) -> Said:
        """Return the models at these places."""
        return Said(*(getattr(self, f.name)[at] for f in fields(self)))


def joined(*arms: Said) -> Said:
    """Return the models of several arms as one."""
    names = [f.name for f in fields(Said)]
    return Said(*(np.concatenate([getattr(a, n) for a in arms]) for n in names))


def turned(*arms: Said) -> list[Said]:
    """Return the same arms with weights in coordinates of their own span: distances are kept.

    A few hundred models span a few hundred dimensions, however many weights they have.
    """
    every = np.concatenate([a.weights for a in arms])
    every = every - every.mean(axis=0)
    left, sizes, _ = np.linalg.svd(every, full_matrices=False)
    ends = np.cumsum([len(a) for a in arms])[:-1]
    return [replace(a, weights=w) for a, w in zip(arms, np.split(left * sizes, ends), strict=True)]
