"""A trained network that answers with labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from unteach.core import BadInput

from .trained_network import Batch, NetworkModel


class NetworkClassifier(NetworkModel):
    """A network whose outputs are the logits of classes; the loss of a record is -ln p of its own.

    Examples
    --------
    >>> from unteach.models import Layers, Network
    >>> from unteach.core import Rows
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.array(["a", "b", "a", "b"])})
    >>> model = Network(module=Layers((4, 2)), epochs=50, lr=0.1).learn(rows, seed=0)
    >>> model.predict(np.eye(4)).tolist(), model.losses(model.batch(rows)).shape
    (['a', 'b', 'a', 'b'], torch.Size([4]))
    """

    def losses(self, batch: Batch) -> Tensor:
        """Return one loss a record: (b,)."""
        return functional.cross_entropy(self.outputs(batch), batch.y, reduction="none")

    def decision_function(self, x: Any) -> NDArray[np.float64]:
        """Return the logits, (n, k); for two classes the second less the first, (n,)."""
        said = self.outputs_at(x)
        return said[:, 1] - said[:, 0] if said.shape[1] == 2 else said

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """Return the probability of each class: (n, k)."""
        return shares(self.outputs_at(x))

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the likeliest class of each row: (n,)."""
        said = self.outputs_at(x)
        likeliest: NDArray[Any] = self.classes_[said.argmax(axis=1)]
        return likeliest

    def _targets(self, y: Any) -> Tensor:
        return torch.as_tensor(codes(self.classes_, np.asarray(y))).to(self.how.device)


def shares(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of logits, row by row: (n, k).

    >>> shares(np.array([[0.0, 0.0], [800.0, 0.0]]))
    array([[0.5, 0.5], [1. , 0. ]])
    """
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    part: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return part


def codes(classes: NDArray[Any], y: NDArray[Any]) -> NDArray[np.int64]:
    """Return where each label stands among the classes; one that does not is refused.

    >>> codes(np.array(["a", "b"]), np.array(["b", "a"]))
    array([1, 0])
    """
    order = np.argsort(classes, kind="stable")
    at = order[np.minimum(np.searchsorted(classes, y, sorter=order), len(classes) - 1)]
    strange = np.flatnonzero(classes[at] != y)
    if len(strange):
        raise BadInput(
            f"y holds the label {y[strange].tolist()[0]!r}, which is none of the model's "
            f"{len(classes)} classes; name all labels by Network(..., classes=...)"
        )
    return at.astype(np.int64)
