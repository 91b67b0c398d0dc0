"""The first layer of a scaled network, for torch: moved and stretched by constants."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Standardize(nn.Module):
    """Rows less `shift`, times `factor`: buffers, which no step of training moves."""

    def __init__(self, shift: Any, factor: Any) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(shift))
        self.register_buffer("factor", torch.tensor(factor))

    def forward(self, x: Any) -> Any:
        """Return (x - shift) * factor."""
        return (x - self.shift) * self.factor
