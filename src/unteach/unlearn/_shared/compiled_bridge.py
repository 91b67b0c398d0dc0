"""Methods that take gradient steps with torch, on compiled networks: there and back again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from unteach.core import Forgotten, Model, Records, Request
from unteach.models import TrainedNetwork, as_compiled, as_trainable

Forget = Callable[..., Forgotten]


def bridged(forget: Forget) -> Forget:
    """Let a method's `forget` take what `MLP` and `CNN` learn, and give back the same kind.

    The compiled network becomes a torch model with the same weights, that one forgets, and the
    weights go back. A torch model, and any other, is handed on as it is.
    """

    @functools.wraps(forget)
    def way(self: Any, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        if not isinstance(model, TrainedNetwork):
            return forget(self, model, records, request, seed=seed)
        gone = forget(self, as_trainable(model), records, request, seed=seed)
        left = model.sample_ids_
        if left is not None and request.replace is None:
            left = left[~np.isin(left, request.targets(records))]
        return replace(gone, model=as_compiled(gone.model, model, sample_ids=left))

    return way
