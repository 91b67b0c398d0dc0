"""Things that learn and own their exact forgetting, and any other estimator as a learner.

Networks stand behind the extra `torch`: their names load torch when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput

from .bridge import as_compiled, as_trainable
from .compiled import CNN, MLP, TrainedNetwork
from .compiled import warm_up as warm_up
from .compiled.learner import start as start
from .exact.logistic import Logistic
from .exact.naive_bayes import NaiveBayes
from .exact.neighbours import Neighbours
from .exact.new_ids import fingerprint as fingerprint
from .exact.pipeline import Pipeline
from .exact.pipeline_rows import together as together
from .exact.ridge import Ridge
from .exact.scaler import Scaler
from .foreign.estimator_learner import EstimatorLearner, as_learner, learn, learner_of
from .foreign.origin import learned as learned
from .foreign.origin import note as note
from .foreign.origin import origin_of as origin_of
from .foreign.origin import twin as twin
from .foreign.reproduction import Recipe as Recipe
from .foreign.reproduction import doubt as doubt
from .foreign.reproduction import recipe_for as recipe_for
from .networks.training_options import Trace, Training
from .outputs import classifies, margins, parameters, scores
from .outputs import continues as continues
from .outputs import one_label as one_label
from .saving import load, save
from .saving import saved_of as saved_of
from .subsets.subset_loop import OutputKind as OutputKind
from .subsets.subset_loop import subset_loop as subset_loop
from .subsets.subset_nearest import LOST as LOST
from .subsets.subset_nearest import SubsetNearest as SubsetNearest
from .subsets.subset_nearest import depth_for as depth_for
from .subsets.subset_nearest import nearest as nearest
from .subsets.subset_ridge import SubsetRidge as SubsetRidge

if TYPE_CHECKING:
    from .networks.checkpoint import tensors_from_bytes as tensors_from_bytes
    from .networks.classifier import NetworkClassifier
    from .networks.contexts import differentiating as differentiating
    from .networks.contexts import evaluating as evaluating
    from .networks.contexts import own_code as own_code
    from .networks.contexts import put_back as put_back
    from .networks.contexts import seeded as seeded
    from .networks.contexts import tensors_of as tensors_of
    from .networks.contexts import threaded as threaded
    from .networks.ensemble import Arms, train_arms
    from .networks.forward import tensor_in as tensor_in
    from .networks.layers import Layers
    from .networks.loader import Loader as Loader
    from .networks.network import Network
    from .networks.sequence_model import SequenceModel
    from .networks.trained_network import NetworkModel
    from .networks.trained_network import check_finite as check_finite
    from .networks.training import Checkpoint, Moment, Watch, fit
    from .networks.transformer import Transformer
    from .networks.validation import keeping_classes as keeping_classes

MODELS = (Ridge, Logistic, NaiveBayes, Neighbours)
"""The estimators of this room that predict; `Scaler` and `Pipeline` stand around them."""

_WITH_TORCH = {
    "keeping_classes": "networks.validation",
    "check_finite": "networks.trained_network",
    "Loader": "networks.loader",
    "tensor_in": "networks.forward",
    "differentiating": "networks.contexts",
    "evaluating": "networks.contexts",
    "own_code": "networks.contexts",
    "put_back": "networks.contexts",
    "seeded": "networks.contexts",
    "tensors_of": "networks.contexts",
    "threaded": "networks.contexts",
    "tensors_from_bytes": "networks.checkpoint",
    "Arms": "networks.ensemble",
    "Checkpoint": "networks.training",
    "Layers": "networks.layers",
    "Moment": "networks.training",
    "Network": "networks.network",
    "NetworkClassifier": "networks.classifier",
    "NetworkModel": "networks.trained_network",
    "SequenceModel": "networks.sequence_model",
    "Transformer": "networks.transformer",
    "Watch": "networks.training",
    "fit": "networks.training",
    "train_arms": "networks.ensemble",
}

__all__ = [
    "Arms",
    "CNN",
    "Checkpoint",
    "EstimatorLearner",
    "Layers",
    "Logistic",
    "MLP",
    "MODELS",
    "Moment",
    "NaiveBayes",
    "Neighbours",
    "Network",
    "NetworkClassifier",
    "NetworkModel",
    "Pipeline",
    "Ridge",
    "Scaler",
    "SequenceModel",
    "Trace",
    "TrainedNetwork",
    "Training",
    "Transformer",
    "Watch",
    "as_compiled",
    "as_learner",
    "as_trainable",
    "classifies",
    "fit",
    "learn",
    "learner_of",
    "load",
    "margins",
    "parameters",
    "save",
    "scores",
    "train_arms",
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
            f'{name} needs {error.name}, which is not installed: pip install "unteach[torch]"'
        ) from error
    globals()[name] = found  # `fit` and its like are found without asking again
    return found
