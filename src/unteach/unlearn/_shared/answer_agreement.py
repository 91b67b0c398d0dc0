"""How far a model's answers are from another's, record by record."""

from __future__ import annotations

from typing import Any

from unteach.core import NoRoute

WHY = "distributions are compared, and a regression states none; use NegGradPlus, or retrain"


def has_distributions(model: Any) -> bool:
    """Say whether outputs are logits: of classes, or of next tokens."""
    return hasattr(model, "classes_") or getattr(model, "loss", "") == "next_token"


def divergence(model: Any, teacher: Any, batch: Any, temperature: float = 1.0) -> Any:
    """Return KL(teacher || model) of each record, in nats, times the temperature squared: (b,).

    Of a sequence it is the mean over the tokens that count. The teacher's gradient is not taken.

    >>> import torch
    >>> class Says:
    ...     classes_ = [0, 1]
    ...     def __init__(self, logits): self.logits = torch.tensor(logits)
    ...     def outputs(self, batch): return self.logits
    >>> divergence(Says([[0.0, 0.0]]), Says([[20.0, 0.0]]), None).tolist()
    [0.693]
    """
    import torch
    from torch.nn import functional

    if not has_distributions(model):
        raise NoRoute(WHY)
    with torch.no_grad():
        wanted = functional.log_softmax(teacher.outputs(batch) / temperature, dim=-1)
    said = functional.log_softmax(model.outputs(batch) / temperature, dim=-1)
    each = (wanted.exp() * (wanted - said)).sum(dim=-1) * temperature**2  # (b,) or (b, t)
    if each.ndim == 1:
        return each
    counted = _counted(batch, each)
    return (each * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)


def _counted(batch: Any, each: Any) -> Any:
    """Return 1 where a sequence's token is predicted, 0 where it is padding or prompt: (b, t)."""
    counted = each.new_zeros(each.shape)
    for rows, _, targets in batch.blocks:
        counted[rows, : targets.shape[1] - 1] = (targets[:, 1:] >= 0).to(each.dtype)
    return counted
