"""Any torch module as a learner: the plain loop, one model at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Records, stream


@dataclass(frozen=True)
class TorchLearner:
    """Train what `factory()` makes by SGD on cross-entropy, from a seed.

    Parameters
    ----------
    factory : makes a fresh module whose outputs are logits; at the top of a module of its own,
        where several processes are to train. The study is named by the factory's name and not by
        what is in it: change its code, and take another seed or folder.
    epochs, batch : at least 1 · rate, momentum, decay : of the steps
    """

    factory: Callable[[], Any]
    epochs: int = 30
    batch: int = 64
    rate: float = 0.1
    momentum: float = 0.9
    decay: float = 0.0

    def learn(self, records: Records, *, seed: int) -> TorchModel:
        """Return the trained module; torch's global random state is left as it was."""
        import torch

        classes, codes = np.unique(np.asarray(records.y), return_inverse=True)
        x = torch.as_tensor(np.asarray(records.x, dtype=np.float32))
        y = torch.as_tensor(codes.astype(np.int64))
        order = stream(seed, "order")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed % 2**63)
            module = self.factory()
            steps = torch.optim.SGD(
                module.parameters(), self.rate, momentum=self.momentum, weight_decay=self.decay
            )
            module.train()
            for _ in range(self.epochs):
                rows = torch.as_tensor(order.permutation(len(codes)))
                for some in torch.split(rows, self.batch):
                    logits = module(x[some])
                    if logits.shape[1] < len(classes):
                        raise BadInput(
                            f"the module gives {logits.shape[1]} logits for {len(classes)} classes"
                        )
                    steps.zero_grad()
                    torch.nn.functional.cross_entropy(logits, y[some]).backward()  # type: ignore[no-untyped-call]
                    steps.step()
        return TorchModel(module.eval(), classes)


@dataclass(frozen=True, eq=False)
class TorchModel:
    """A trained module, asked in numpy; logits beyond the known classes are left out."""

    module: Any
    classes_: NDArray[Any]

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """Return the probability of each class: (n, k)."""
        import torch

        with torch.no_grad():
            logits = self.module(torch.as_tensor(np.asarray(x, dtype=np.float32)))
        known = logits[:, : len(self.classes_)].double()
        return np.asarray(torch.softmax(known, dim=1).numpy())

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the likeliest class: (n,)."""
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])
