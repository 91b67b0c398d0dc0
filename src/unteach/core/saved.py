"""Saved models: JSON and arrays in one file, readable without running any code.

The file is an uncompressed zip of `model.json` and one `.npy` a named array (so that
`numpy.load` opens it too). Nothing in it is pickled. The same model gives the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .canonical import canonical
from .errors import BadInput, Corrupt

FORMAT = 1
_HEADER = "model.json"
_LARGEST_HEADER = 64 * 2**20


@dataclass(frozen=True)
class Saved:
    """What is written of a model: its kind ("package.module:Class"), settings and arrays."""

    kind: str
    config: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the file's bytes.

        >>> s = Saved("unteach.models:Ridge", {"alpha": 1.0}, {"coef": np.arange(2.0)})
        >>> Saved.from_bytes(s.to_bytes()).arrays["coef"]
        array([0., 1.])
        """
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            header = {"format": FORMAT, "kind": self.kind, "config": dict(self.config)}
            _put(archive, _HEADER, canonical(header).encode())
            for name in sorted(self.arrays):
                array = np.asarray(self.arrays[name])
                if array.dtype.hasobject:
                    raise BadInput(f"array {name!r} holds Python objects and cannot be saved")
                raw = io.BytesIO()
                np.lib.format.write_array(raw, np.ascontiguousarray(array), allow_pickle=False)
                _put(archive, f"{name}.npy", raw.getvalue())
            for name in sorted(self.blobs):
                _put(archive, name, self.blobs[name])
        return out.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes, *, where: str = "the file") -> Saved:
        """Return what `to_bytes` wrote; anything else is refused by name."""
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                entries = archive.infolist()
                if entries and min(e.header_offset for e in entries) != 0:
                    raise Corrupt(f"{where} is cut off, or something was put before it")
                if any(e.compress_type != zipfile.ZIP_STORED for e in entries):
                    raise Corrupt(f"{where} is a compressed archive, not a saved model")
                if _HEADER not in archive.namelist():
                    raise Corrupt(f"{where} holds no {_HEADER}; it is not a saved model")
                if archive.getinfo(_HEADER).file_size > _LARGEST_HEADER:
                    raise Corrupt(f"{where} has a header of over {_LARGEST_HEADER} bytes")
                header = json.loads(archive.read(_HEADER))
                arrays, blobs = {}, {}
                for entry in entries:
                    data = archive.read(entry)
                    if entry.filename == _HEADER:
                        continue
                    if entry.filename.endswith(".npy"):
                        arrays[entry.filename[:-4]] = np.lib.format.read_array(
                            io.BytesIO(data), allow_pickle=False
                        )
                    else:
                        blobs[entry.filename] = data
        except (zipfile.BadZipFile, ValueError, EOFError, KeyError) as error:
            raise Corrupt(f"{where} is damaged or not a saved model: {error}") from error
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            got = header.get("format") if isinstance(header, dict) else type(header).__name__
            raise Corrupt(f"{where} has format {got!r}; this version reads format {FORMAT}")
        kind, config = header.get("kind"), header.get("config")
        if not isinstance(kind, str) or not isinstance(config, dict):
            raise Corrupt(f"{where} is damaged: its header is not that of a saved model")
        return cls(kind, config, arrays, blobs)


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)


def write_whole(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write a file whole or not at all: a temporary beside it, flushed, then renamed."""
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise BadInput(f"cannot write {target}: {error.strerror or error}") from error
        raise
    return target


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """Return a file's bytes, or say in one sentence why it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
