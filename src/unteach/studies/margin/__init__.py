"""Margin: support vectors are the memories of a kernel machine. What happens when they go?"""

from .study import MARGIN, Margin

__all__ = ["MARGIN", "Margin"]
