"""Yardstick: what does "forgotten" mean? Many definitions, read on the same unlearned models."""

from .study import YARDSTICK, Yardstick

__all__ = ["YARDSTICK", "Yardstick"]
