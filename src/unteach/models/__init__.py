"""Things that learn and own their exact forgetting, and any other estimator as a learner."""

from .bayes import NaiveBayes
from .learners import EstimatorLearner, as_learner, learn, learner_of
from .logistic import Logistic
from .neighbours import Neighbours
from .outputs import classifies, margins, parameters, scores
from .pipeline import Pipeline
from .ridge import Ridge
from .saving import load, save
from .scaler import Scaler

MODELS = (Ridge, Logistic, NaiveBayes, Neighbours)
"""The estimators of this room that predict; `Scaler` and `Pipeline` stand around them."""

__all__ = [
    "EstimatorLearner", "Logistic", "MODELS", "NaiveBayes", "Neighbours", "Pipeline", "Ridge",
    "Scaler", "as_learner", "classifies", "learn", "learner_of", "load", "margins", "parameters",
    "save", "scores",
]
