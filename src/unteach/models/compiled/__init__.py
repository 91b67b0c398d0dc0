"""Networks trained on the CPU, one a core, by a compiled loop whose state stays in the cache."""

from ._kernels.compilation import warm_up
from .cnn import CNN
from .mlp import MLP
from .trained_network import TrainedNetwork

__all__ = ["CNN", "MLP", "TrainedNetwork", "warm_up"]
