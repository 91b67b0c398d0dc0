"""The kernel machine: kernels, the problem, the exact solver and its certificate, estimators.

`SVC`, `NuSVC`, `SVR`, `NuSVR` and `OneClassSVM` are the way in; below them lie the pieces, each
of which can be used and tested by itself.
"""

from ._estimator.data_statistics import DataDependentStatistics
from ._machine.machine import Machine
from ._paths.weight_path import ForgetPath, Knot
from ._solver.grouped_qp import Program
from ._solver.grouped_solver import Solved, solve_program
from ._solver.qp import QP, classification, residual
from ._solver.solver import Solution, remove, solve
from .certificate import Certificate, certify
from .kernels import Kernel
from .nu_svc import NuSVC
from .one_class import OneClassSVM
from .svc import SVC
from .svr import SVR, NuSVR

__all__ = [
    "Certificate",
    "DataDependentStatistics",
    "ForgetPath",
    "Kernel",
    "Knot",
    "Machine",
    "NuSVC",
    "NuSVR",
    "OneClassSVM",
    "Program",
    "QP",
    "SVC",
    "SVR",
    "Solution",
    "Solved",
    "certify",
    "classification",
    "remove",
    "residual",
    "solve",
    "solve_program",
]
