"""Checkpoints of the user's own networks: tensors from a file, answers from the net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Corrupt, read_whole


def tensors_of(path: Path, pickled: bool) -> dict[str, Any]:
    """Return the tensors of a safetensors file, or (tensors alone, no other object) of a pickle.

    Of a checkpoint that a training of unteach kept, the parameters: the best, else the last.
    """
    flat: Any
    if not pickled:
        from unteach.models import tensors_from_bytes

        flat = tensors_from_bytes(read_whole(path), where=str(path))
    else:
        import torch

        try:
            flat = torch.load(str(path), map_location="cpu", weights_only=True)
        except (RuntimeError, OSError, EOFError, ValueError) as error:
            raise Corrupt(f"{path} is damaged or holds more than tensors: {error}") from error
        flat = flat.get("state_dict", flat) if isinstance(flat, dict) else flat
    if not isinstance(flat, dict):
        raise BadInput(f"{path} holds a {type(flat).__name__}; a dictionary of tensors is needed")
    if pickled or not _of_a_training(path):
        return dict(flat)
    part = "best." if any(name.startswith("best.") for name in flat) else "model."
    return {k.removeprefix(part): v for k, v in flat.items() if k.startswith(part)}


def _of_a_training(path: Path) -> bool:
    """Say whether a safetensors file is the checkpoint of a training of unteach."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:  # type: ignore[no-untyped-call, unused-ignore]
        return '"mark"' in (file.metadata() or {}).get("unteach", "")


def outputs_of(module: Any, tensors: dict[str, Any], x: Any, where: str) -> NDArray[np.float32]:
    """Return a net's logits with these parameters: (q, k)."""
    import torch

    from unteach.models import tensor_in

    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        first = " ".join(str(error).split())[:300]
        raise BadInput(f"{where} does not fit the net that module() makes: {first}") from error
    module.eval()
    some = next(module.parameters(), None)
    kind = torch.float32 if some is None else some.dtype
    said = []
    with torch.no_grad():
        for start in range(0, len(x), 4096):
            batch = torch.as_tensor(np.array(x[start : start + 4096], order="C"))
            batch = batch.to(kind) if batch.is_floating_point() else batch
            out = tensor_in(module(batch))
            if out.ndim != 2 or out.shape[1] < 2:
                raise BadInput(f"{where} answers {tuple(out.shape)}; logits are (examples, k >= 2)")
            said.append(out.float().numpy())
    return np.concatenate(said)
