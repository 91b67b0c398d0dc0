"""The kernel machine: kernels, the problem, the exact solver and its certificate, estimators.

`SVC`, `NuSVC`, `SVR`, `NuSVR` and `OneClassSVM` are the way in; below them lie the pieces, each
of which can be used and tested by itself.
"""

from .certificate import Certificate, certify
from .constants import DataDependentStatistics
from .kernels import Kernel
from .kkt import residual
from .machine import Machine
from .nu_svc import NuSVC
from .one_class import OneClassSVM
from .path import ForgetPath, Knot
from .program import Program
from .programs import Solved, solve_program
from .qp import QP, classification
from .regression import SVR, NuSVR
from .slow import slow_solve
from .slow_program import slow_program
from .solver import Solution, remove, solve
from .svc import SVC

__all__ = [
    "Certificate", "DataDependentStatistics", "ForgetPath", "Kernel", "Knot", "Machine", "NuSVC",
    "NuSVR", "OneClassSVM", "Program", "QP", "SVC", "SVR", "Solution", "Solved", "certify",
    "classification", "remove", "residual", "slow_program", "slow_solve", "solve", "solve_program",
]
