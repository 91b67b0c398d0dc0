"""The kernel machine: kernels, the problem, the exact solver and its certificate, estimators.

`SVC` is the way in; below it lie the pieces, each of which can be used and tested by itself.
"""

from .certificate import Certificate, certify
from .constants import DataDependentStatistics
from .kernels import Kernel
from .kkt import residual
from .machine import Machine
from .qp import QP, classification
from .slow import slow_solve
from .solver import Solution, remove, solve
from .svc import SVC

__all__ = [
    "Certificate", "DataDependentStatistics", "Kernel", "Machine", "QP", "SVC", "Solution",
    "certify", "classification", "remove", "residual", "slow_solve", "solve",
]
