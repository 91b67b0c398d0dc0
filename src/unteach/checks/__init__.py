"""The public conformance suite: what every method, metric and estimator must hold to.

Use it on your own in one line: `unteach.checks.check_method(MyMethod())`. The suite is itself
tested with methods and metrics that are broken on purpose.
"""

from .certified import CERTIFIED_LAWS
from .estimators import ESTIMATOR_LAWS, EstimatorBench
from .exact import EXACT_LAWS
from .law import Law, LawBroken, Outcome, broken_by, run_laws
from .memorization import MEMORIZATION_LAWS, MemorizationBench
from .method_bench import MethodBench
from .methods import METHOD_LAWS
from .metric_bench import JitteredLearner, MetricBench, pole_case
from .metrics import METRIC_LAWS
from .suite import (
    EXPECTED,
    check_estimator,
    check_memorization,
    check_method,
    check_metric,
    laws_of,
)
from .worlds import World, memorable_world, small_network, small_transformer, small_world

__all__ = [
    "CERTIFIED_LAWS",
    "ESTIMATOR_LAWS",
    "EXACT_LAWS",
    "EXPECTED",
    "MEMORIZATION_LAWS",
    "METHOD_LAWS",
    "METRIC_LAWS",
    "EstimatorBench",
    "JitteredLearner",
    "Law",
    "LawBroken",
    "MemorizationBench",
    "MethodBench",
    "MetricBench",
    "Outcome",
    "World",
    "broken_by",
    "check_estimator",
    "check_memorization",
    "check_method",
    "check_metric",
    "laws_of",
    "memorable_world",
    "pole_case",
    "run_laws",
    "small_network",
    "small_transformer",
    "small_world",
]
