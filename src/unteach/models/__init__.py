"""Things that learn and own their exact forgetting, and any other estimator as a learner.

Networks stand behind the extra `torch`: their names load torch when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput

from .bayes import NaiveBayes
from .bridge import as_compiled, as_trainable
from .compiled import CNN, MLP, TrainedNetwork
from .learners import EstimatorLearner, as_learner, learn, learner_of
from .logistic import Logistic
from .neighbours import Neighbours
from .outputs import classifies, margins, parameters, scores
from .pipeline import Pipeline
from .ridge import Ridge
from .saving import load, save
from .scaler import Scaler
from .settings import Trace, Training

if TYPE_CHECKING:
    from .arms import Arms, train_arms
    from .classifier import NetworkClassifier
    from .layers import Layers
    from .network import Network
    from .sequence_model import SequenceModel
    from .trained import NetworkModel
    from .training import Checkpoint, Moment, fit
    from .transformer import Transformer
    from .watching import Watch

MODELS = (Ridge, Logistic, NaiveBayes, Neighbours)
"""The estimators of this room that predict; `Scaler` and `Pipeline` stand around them."""

_WITH_TORCH = {
    "Arms": "arms", "Checkpoint": "training", "Layers": "layers", "Moment": "training",
    "Network": "network", "NetworkClassifier": "classifier", "NetworkModel": "trained",
    "SequenceModel": "sequence_model",
    "Transformer": "transformer", "Watch": "watching", "fit": "training", "train_arms": "arms",
}

__all__ = [
    "Arms", "CNN", "Checkpoint", "EstimatorLearner", "Layers", "Logistic", "MLP", "MODELS",
    "Moment", "NaiveBayes", "Neighbours", "Network", "NetworkClassifier", "NetworkModel",
    "Pipeline", "Ridge", "Scaler", "SequenceModel", "Trace", "TrainedNetwork", "Training",
    "Transformer", "Watch", "as_compiled", "as_learner", "as_trainable",
    "classifies", "fit", "learn", "learner_of", "load",
    "margins", "parameters", "save", "scores", "train_arms",
]


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(importlib.import_module(f".{_WITH_TORCH[name]}", __name__), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise BadInput(
            f"{name} needs {error.name}, which is not installed: pip install \"unteach[torch]\""
        ) from error
    globals()[name] = found  # `fit` and its like are found without asking again
    return found
