"""Networks trained on the CPU, one a core, by a compiled loop whose state stays in the cache."""

from .cnn import CNN
from .mlp import MLP
from .trained import TrainedNetwork
from .warm import warm_up

__all__ = ["CNN", "MLP", "TrainedNetwork", "warm_up"]
