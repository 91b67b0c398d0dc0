"""How much a model holds of each record: leave-one-out, subsampled, screens, influence."""

from .memories import Memories

__all__ = ["Memories"]
