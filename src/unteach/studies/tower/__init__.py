"""Tower: can one skill be forgotten, or changed, and what stands on it be kept?"""

from .study import TOWER, TowerStudy

__all__ = ["TOWER", "TowerStudy"]
