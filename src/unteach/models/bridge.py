"""The bridge between compiled networks and the methods that take gradient steps with torch."""

from __future__ import annotations

from typing import Any

from unteach.core import Trainable

from .compiled import TrainedNetwork


def as_trainable(model: Any) -> Any:
    """Return the model as one that gradient methods can move: `core.Trainable`; needs torch.

    A compiled network becomes a torch model with the same weights, classes and batch size, which
    stands on the same records; whatever is trainable already is returned as it is, and so is
    what cannot be made so.

    Examples
    --------
    >>> import numpy as np
    >>> from unteach.core import Rows
    >>> from unteach.models import MLP
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.array([0, 1, 0, 1])})
    >>> model = MLP(hidden=(8,)).learn(rows, seed=0)
    >>> moved = as_trainable(model)
    >>> bool(np.allclose(moved.predict_proba(rows.x), model.predict_proba(rows.x), atol=1e-6))
    True
    >>> bool(np.array_equal(as_compiled(moved, model).parameters(), model.parameters()))
    True
    """
    if isinstance(model, Trainable) or not isinstance(model, TrainedNetwork):
        return model
    from .exact.new_ids import fingerprint
    from .networks.network import Network

    made = Network.of(
        model.to_torch(),
        classes=model.classes_,
        factory=model.architecture.module,
        batch_size=model.learner_.batch_size,
    )
    if model.sample_ids_ is not None:
        made.ids_digest_ = fingerprint(model.sample_ids_)
    return made


def as_compiled(model: Any, like: TrainedNetwork, *, sample_ids: Any = None) -> TrainedNetwork:
    """Return the compiled network with the weights of a torch model that `as_trainable` gave.

    Parameters
    ----------
    like : the compiled network that it came from
    sample_ids : the records that it stands on now; those of `like` if None
    """
    return like.from_torch(model.module, sample_ids=sample_ids)
