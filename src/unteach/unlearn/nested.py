"""Models inside a saved model: each packed as a file of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from unteach.models import load, save


def pack(model: Any, *, serving: bool = False) -> bytes:
    """Return the bytes of a saved model (never a pickle)."""
    if serving and hasattr(model, "to_saved"):
        raw: bytes = model.to_saved(serving=True).to_bytes()
        return raw
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        save(model, path)
        return path.read_bytes()


def unpack(raw: bytes) -> Any:
    """Return the model whose bytes `pack` made."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(raw)
        return load(path)
