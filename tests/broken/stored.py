"""Methods that keep what they should have let go, for the laws of what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from broken.methods import Broken
from unteach.unlearn import Amnesiac


@dataclass(frozen=True)
class KeepsTheUpdates(Amnesiac, Broken):
    """Subtracts the updates of the forgotten records' batches, and stores them on.

    A second request subtracts them again, and whoever has the store has the records' gradients.
    """

    caught_by: ClassVar[str] = "what_is_stored_lets_go"
    wrong: ClassVar[str] = "what was computed from the forgotten records stays beside the model"

    def _change(self, after: Any, sides: Any, seed: int) -> Any:
        stored = after.stored_
        done = super()._change(after, sides, seed)
        after.stored_ = stored
        return done


BROKEN_STORED: tuple[Any, ...] = (KeepsTheUpdates(repair=0),)
"""Broken methods that store; each is caught by the law that it names."""
