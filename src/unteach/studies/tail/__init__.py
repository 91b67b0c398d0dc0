"""Tail: memorization is said to be needed to generalize. What if the memorized is unlearned?"""

from .study import TAIL, Tail

__all__ = ["TAIL", "Tail"]
