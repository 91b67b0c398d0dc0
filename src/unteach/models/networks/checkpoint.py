"""The state of a training on disk: tensors and JSON in one safetensors file, never a pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from unteach.core import BadInput, Corrupt, canonical, digest, json_from, plain, write_whole

_KEY = "unteach"
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Where a training stood between two steps."""

    model: Tensors
    optimizer: Tensors
    losses: tuple[float, ...]
    watched: tuple[tuple[int, float], ...]
    gradients: int
    stopped: str
    best: Tensors | None = None
    best_at: tuple[int, float] = field(default=(0, 0.0))


def tensors_to_bytes(tensors: Mapping[str, torch.Tensor], note: str = "") -> bytes:
    """Return tensors (and a note) as the bytes of a safetensors file; the same give the same."""
    # tensors that share memory (tied weights) are written twice: safetensors refuses views
    whole = {k: v.detach().cpu().contiguous().clone() for k, v in sorted(tensors.items())}
    return save_tensors(whole, {_KEY: note} if note else None)


def tensors_from_bytes(raw: bytes, *, where: str = "the file") -> Tensors:
    """Return the tensors that `tensors_to_bytes` wrote; anything else is refused by name."""
    try:
        return load_tensors(raw)
    except (SafetensorError, ValueError, KeyError) as error:
        raise Corrupt(f"{where} is damaged or holds no safetensors: {error}") from error


def write_snapshot(
    path: str | os.PathLike[str], mark: Mapping[str, Any], snapshot: Snapshot
) -> None:
    """Write a snapshot, whole or not at all; `mark` says what training it belongs to."""
    note = {
        "mark": plain(dict(mark)),
        "losses": list(snapshot.losses),
        "watched": plain(snapshot.watched),
        "gradients": snapshot.gradients,
        "stopped": snapshot.stopped,
        "best_at": plain(snapshot.best_at),
    }
    parts = {"model": snapshot.model, "optimizer": snapshot.optimizer, "best": snapshot.best or {}}
    flat = {f"{part}.{k}": v for part, tensors in parts.items() for k, v in tensors.items()}
    note["digest"] = _digest_of(note, flat)
    write_whole(path, tensors_to_bytes(flat, canonical(note)), private=True)


def _digest_of(note: Mapping[str, Any], flat: Tensors) -> str:
    told = {k: v for k, v in note.items() if k != "digest"}
    return digest({**told, "tensors": {k: digest(_bytes_of(v)) for k, v in flat.items()}})


def _bytes_of(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).numpy().tobytes())


def read_snapshot(path: str | os.PathLike[str], mark: Mapping[str, Any]) -> Snapshot | None:
    """Return the snapshot of this very training, None if there is no file.

    Raises `BadInput` if the file belongs to another training, `Corrupt` if it is damaged.
    """
    if not Path(path).exists():
        return None
    try:
        with safe_open(str(path), framework="pt") as file:  # type: ignore[no-untyped-call, unused-ignore]
            note = json_from((file.metadata() or {})[_KEY], where=str(path))
            flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        given = dict(note["mark"])
        if note["digest"] != _digest_of(note, flat):
            raise ValueError("its contents are not those that were written")
        if not all(bool(torch.isfinite(value).all()) for value in flat.values()):
            raise ValueError("it holds NaN or an infinity")
        parts: dict[str, Tensors] = {"model": {}, "optimizer": {}, "best": {}}
        for name, value in flat.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = value
        found = Snapshot(
            parts["model"],
            parts["optimizer"],
            tuple(float(loss) for loss in note["losses"]),
            tuple((int(step), float(score)) for step, score in note["watched"]),
            int(note["gradients"]),
            str(note["stopped"]),
            parts["best"] or None,
            (int(note["best_at"][0]), float(note["best_at"][1])),
        )
    except (SafetensorError, LookupError, ValueError, TypeError, OSError, RuntimeError) as error:
        raise Corrupt(f"{path} is damaged or no checkpoint of a training: {error}") from error
    if given != json.loads(canonical(dict(mark))):
        differs = sorted(k for k in mark if given.get(k) != json.loads(canonical(mark[k])))
        raise BadInput(
            f"{path} is the checkpoint of another training (it differs in {', '.join(differs)}); "
            "name another file, or delete it"
        )
    return found
