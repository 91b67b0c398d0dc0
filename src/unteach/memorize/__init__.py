"""How much a model holds of each record: leave-one-out, subsampled, screens, influence.

`Memories` trains many models on random subsets and keeps one table of their outcomes; every
score is read from it. `nearest`, `ridge`, `kernel_ridge` and `machine` know the answer exactly,
for learners that allow it. Screens rank from a single training and have no units.
"""

from . import kernel_ridge, machine, nearest, ridge
from .adapter import LEARNERS
from .banzhaf import Banzhaf
from .consistency import Consistency
from .design import Design
from .estimators import LeaveOneOut, Subsampled
from .left_out import LeftOut
from .membership import Membership
from .memories import Memories
from .plain_mlp import PlainMLP
from .removal import Removal
from .screens import EL2N, CumulativeLoss, KernelRidgeScreen, LearningEvent, OffersEpochs
from .subsampled import Memorization

ESTIMATORS = (Subsampled, LeaveOneOut)
SCREENS = (CumulativeLoss, EL2N, LearningEvent, KernelRidgeScreen)

__all__ = [
    "Banzhaf", "Consistency", "CumulativeLoss", "Design", "EL2N", "ESTIMATORS",
    "KernelRidgeScreen", "LEARNERS", "LearningEvent", "LeaveOneOut", "LeftOut", "Membership",
    "Memories", "Memorization", "OffersEpochs", "PlainMLP", "Removal", "SCREENS", "Subsampled",
    "kernel_ridge", "machine", "nearest", "ridge",
]
