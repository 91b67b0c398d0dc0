"""Proof: can the statements be forgotten and the conclusion that follows from them be kept?"""

from .study import PROOF, Proof

__all__ = ["PROOF", "Proof"]
