"""A trained sequence model: what it continues with, and what it says when it is led."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from unteach.core import BadInput, Records

from .classifier import shares
from .contexts import evaluating
from .forward import answered
from .trained_network import NetworkModel
from .transformer import decode

PAD = -1
_ROWS = 1024  # sequences read at once
_SPREAD = 0.75  # sequences at least this share of a block's longest go through the module together


@dataclass(frozen=True, eq=False)
class SequenceBatch:
    """Sequences as tensors, in blocks of similar length so that little padding is computed.

    blocks : (rows (k,), tokens (k, t), targets (k, t)): which records they are, and what each
    token and each target is; a target of -1 is not predicted · n : how many records
    weight : (n,) or None, as in `Batch`
    """

    blocks: tuple[tuple[Tensor, Tensor, Tensor], ...]
    n: int
    weight: Tensor | None = None

    def __len__(self) -> int:
        return self.n


class SequenceModel(NetworkModel):
    """A causal model of sequences (records made by `unteach.data.token_sequences`).

    `reduction` says how the losses of a sequence's predicted tokens become the one of its record:
    "mean", as made, or "sum". `predict` continues prompts greedily.

    Examples
    --------
    >>> from unteach.data import sequences
    >>> from unteach.models import Network, Transformer
    >>> rows = sequences([[1, 2, 0], [2, 1, 0]], prompts=1)
    >>> shape = Transformer(3, end=0, width=16, heads=2, layers=1, length=4)
    >>> model = Network(module=shape, loss="next_token", steps=60, lr=0.01).learn(rows, seed=0)
    >>> model.predict(np.array([[2], [1]])).tolist()
    [[1, 0, -1], [2, 0, -1]]
    """

    reduction: Literal["sum", "mean"] = "mean"

    def _batch(self, x: Any, y: Any, weight: Tensor | None) -> SequenceBatch:
        x, y = np.asarray(x), np.asarray(y)
        if x.ndim != 2 or x.dtype.kind not in "iu" or x.shape != y.shape:
            raise BadInput("these are no sequences; make records by unteach.data.token_sequences")
        blocks = []
        for rows, t in _blocks((x != PAD).sum(axis=1)):
            tokens = torch.as_tensor(np.maximum(x[rows, :t], 0)).to(self.how.device, torch.int64)
            targets = torch.as_tensor(y[rows, :t]).to(self.how.device, torch.int64)
            blocks.append((torch.as_tensor(rows).to(self.how.device), tokens, targets))
        return SequenceBatch(tuple(blocks), len(x), weight)

    def pair(self, records: Records) -> tuple[Tensor, Tensor]:
        """Return tokens and targets (n, t), ends padded with -1, for code that is not ours."""
        parts = (np.array(records.x), np.array(records.y))
        x, y = (torch.as_tensor(part).to(self.how.device, torch.int64) for part in parts)
        return x, y

    def outputs(self, batch: SequenceBatch) -> Tensor:
        """Return the logits of each next token: (b, t - 1, v), zeros after a sequence's end."""
        parts = [(rows, answered(self.module, tokens[:, :-1])) for rows, tokens, _ in batch.blocks]
        t = max(part.shape[1] for _, part in parts)
        padded = [functional.pad(part, (0, 0, 0, t - part.shape[1])) for _, part in parts]
        return torch.cat(padded)[_back([rows for rows, _ in parts])]

    def losses(self, batch: SequenceBatch) -> Tensor:
        """Return one loss a record, the sum or the mean over its predicted tokens: (b,)."""
        parts = []
        for _, tokens, targets in batch.blocks:
            logits = answered(self.module, tokens[:, :-1])  # (k, t - 1, v)
            wanted = targets[:, 1:]
            counted = wanted != PAD
            each = functional.cross_entropy(logits[counted], wanted[counted], reduction="none")
            which = counted.nonzero()[:, 0]
            total = each.new_zeros(len(tokens)).index_add(0, which, each)
            if self.reduction == "mean":
                total = total / counted.sum(dim=1).clamp(min=1)
            parts.append(total)
        return torch.cat(parts)[_back([rows for rows, _, _ in batch.blocks])]

    def likelihoods(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Return how likely the tokens to be predicted are: (n,), minus the losses, in nats."""
        parts = []
        with evaluating(self), torch.no_grad():
            for start in range(0, len(x), _ROWS):
                rows = slice(start, start + _ROWS)
                parts.append(-self.losses(self._batch(x[rows], y[rows], None)).double().cpu())
        return np.concatenate([np.asarray(p) for p in parts]) if parts else np.zeros(0)

    def logits(self, x: Any) -> NDArray[np.float64]:
        """Return the logits of each next token of sequences: (n, t - 1, v), zeros after an end."""
        with evaluating(self), torch.no_grad():
            said = self.outputs(self._batch(x, x, None))
        return np.asarray(said.double().cpu().numpy())

    def hidden(self, batch: SequenceBatch, layer: str) -> Tensor:
        """Return what the named part gives, for a batch whose sequences are of similar length."""
        if len(batch.blocks) != 1:
            raise BadInput("hidden takes sequences of similar length; ask for one group at a time")
        inner = super().hidden(batch, layer)
        return inner[_back([batch.blocks[0][0]])]

    def predict(self, x: Any, *, most: int | None = None) -> NDArray[np.int64]:
        """Return greedy continuations of prompts (n, t), ends padded with -1.

        (n, l) int64: as long as the module's longest sequence allows after the shortest prompt,
        -1 from where a sequence has said that it is over. With `most`, no continuation is longer:
        its tokens are the first of those that would be said without it.
        """
        if most is not None and most < 1:
            raise BadInput(f"most is a whole number of at least 1, or None; got {most!r}")
        prompts = np.asarray(x)
        lengths = (prompts != PAD).sum(axis=1)
        if len(prompts) == 0 or lengths.min() < 1:
            raise BadInput("every prompt needs at least one token")
        longest = self._longest()
        room = longest - int(lengths.min())
        made = np.full((len(prompts), room if most is None else min(most, room)), PAD, np.int64)
        with evaluating(self):
            for length in np.unique(lengths):
                rows = np.flatnonzero(lengths == length)
                end = longest if most is None else min(longest, int(length) + most)
                said = self._continued(prompts[rows, :length], end)
                made[rows, : said.shape[1]] = said
        return made

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """Return the probability of each token as the next one after prompts: (n, v)."""
        return shares(self.decision_function(x))

    def decision_function(self, x: Any) -> NDArray[np.float64]:
        """Return the logits of the token that comes next after prompts: (n, v)."""
        prompts = np.asarray(x)
        last = (prompts != PAD).sum(axis=1) - 1
        tokens = torch.as_tensor(np.maximum(prompts, 0)).to(self.how.device, torch.int64)
        with evaluating(self), torch.no_grad():
            said = answered(self.module, tokens)
            logits = said[torch.arange(len(tokens)), torch.as_tensor(last)]
        return np.asarray(logits.double().cpu().numpy())

    def recalled(self, records: Records) -> NDArray[np.bool_]:
        """Return which tokens it gets right when it goes on by itself from the prompts: (n, t).

        The prompt of a sequence is what stands before its first predicted token; entries at
        tokens that are not to be predicted are False.
        """
        x, y = np.asarray(records.x), np.asarray(records.y)
        first = (y != PAD).argmax(axis=1)
        right = np.zeros(y.shape, dtype=bool)
        with evaluating(self):
            for length in np.unique(first):
                rows = np.flatnonzero(first == length)
                ends = int((x[rows] != PAD).sum(axis=1).max())
                said = self._continued(x[rows, :length], ends)
                right[rows, length:ends] = said == y[rows, length:ends]
        hit: NDArray[np.bool_] = np.logical_and(right, y != PAD)
        return hit

    def led(self, records: Records) -> NDArray[np.bool_]:
        """Return which tokens it gets right when all before them are given: (n, t) booleans."""
        y = np.asarray(records.y)
        batch = self._batch(records.x, y, None)
        right = np.zeros(y.shape, dtype=bool)
        with evaluating(self), torch.no_grad():
            for rows, tokens, targets in batch.blocks:
                said = answered(self.module, tokens[:, :-1]).argmax(dim=-1)
                hit = (said == targets[:, 1:]).cpu().numpy()
                right[rows.cpu().numpy(), 1 : hit.shape[1] + 1] = hit
        shown: NDArray[np.bool_] = np.logical_and(right, y != PAD)
        return shown

    def _continued(self, prompts: NDArray[Any], longest: int) -> NDArray[np.int64]:
        tokens = torch.as_tensor(np.array(prompts)).to(self.how.device, torch.int64)
        said = decode(self.module, tokens, longest, self._shape("end"))
        return np.asarray(said.cpu().numpy())

    def _longest(self) -> int:
        longest = self._shape("length")
        if longest is None:
            raise BadInput(
                "the module does not say how long a sequence may be (shape.length); ask for "
                "what the records hold: recalled(records)"
            )
        return longest

    def _shape(self, name: str) -> int | None:
        found = getattr(getattr(self.module, "shape", None), name, None)
        return None if found is None else int(found)


def _blocks(lengths: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Yield (rows, longest length) of sequences of similar length, the longest first."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = int(lengths[order[start]])
        stop = start + int((lengths[order[start:]] >= _SPREAD * longest).sum())
        yield order[start:stop], longest
        start = stop


def _back(rows: list[Tensor]) -> Tensor:
    """Return the order that puts the records of all blocks back where they were."""
    return torch.argsort(torch.cat(rows))
