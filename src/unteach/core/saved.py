"""Saved models: JSON and arrays in one file, readable without running any code.

The file is an uncompressed zip of `model.json` and one `.npy` a named array (so that
`numpy.load` opens it too). Nothing in it is pickled. The same model gives the same bytes. A
digest over all of it finds accidents; against intent, whoever reads a model checks what it takes
with `Contents`.
"""

from __future__ import annotations

import io
import json
import math
import os
import secrets
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .canonical_json import canonical, digest
from .errors import BadInput, Corrupt

FORMAT = 2
UNPACKED = 2**28
"""Bytes that a compressed file may unpack to, unless more is allowed."""
_HEADER = "model.json"
_LARGEST_HEADER = 64 * 2**20
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    OverflowError,
    RecursionError,
    SyntaxError,
    tokenize.TokenError,
    NotImplementedError,
    RuntimeError,
)


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
        parts = {}
        for name in sorted(self.arrays):
            array = np.asarray(self.arrays[name])
            if array.dtype.hasobject:
                raise BadInput(f"array {name!r} holds Python objects and cannot be saved")
            raw = io.BytesIO()
            np.lib.format.write_array(raw, np.asarray(array, order="C"), allow_pickle=False)
            parts[f"{name}.npy"] = raw.getvalue()
        parts |= {name: self.blobs[name] for name in sorted(self.blobs)}
        header = {"format": FORMAT, "kind": self.kind, "config": dict(self.config)}
        header["digest"] = _digest_of(self.kind, self.config, parts)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name, data in {_HEADER: canonical(header).encode(), **parts}.items():
                archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes, *, where: str = "the file") -> Saved:
        """Return what `to_bytes` wrote; anything else is refused by name."""
        parts = unzipped(raw, where=where, stored=True)
        if _HEADER not in parts:
            raise Corrupt(f"{where} holds no {_HEADER}; it is not a saved model")
        if len(parts[_HEADER]) > _LARGEST_HEADER:
            raise Corrupt(f"{where} has a header of over {_LARGEST_HEADER} bytes")
        header = json_from(parts.pop(_HEADER), where=where)
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            got = header.get("format") if isinstance(header, dict) else type(header).__name__
            raise Corrupt(
                f"{where} has format {str(got)[:40]!r}; this version reads format {FORMAT}"
            )
        kind, config = header.get("kind"), header.get("config")
        if not isinstance(kind, str) or not isinstance(config, dict):
            raise Corrupt(f"{where} is damaged: its header is not that of a saved model")
        try:
            right = header.get("digest") == _digest_of(kind, config, parts)
        except RecursionError:
            right = False  # nobody wrote that
        if not right:
            raise Corrupt(f"{where} is damaged: its contents are not those that were written")
        arrays = {
            name[:-4]: array_from(data, where=f"{name} in {where}")
            for name, data in parts.items()
            if name.endswith(".npy")
        }
        blobs = {name: data for name, data in parts.items() if not name.endswith(".npy")}
        return cls(kind, config, arrays, blobs)


def _digest_of(kind: str, config: Mapping[str, Any], parts: Mapping[str, bytes]) -> str:
    whole = {name: digest(data) for name, data in parts.items()}
    return digest({"kind": kind, "config": dict(config), "parts": whole})


def unzipped(
    raw: bytes, *, where: str, most: int | None = None, stored: bool = False
) -> dict[str, bytes]:
    """Return the entries of a zip archive by name; all sizes are bounded before one is read.

    Entries that overlap, or are named alike, are refused. What is unpacked is at most `most`
    bytes (see `unpacked_limit` for None), or eight times the file. With `stored` nothing is
    compressed.
    """
    limit = len(raw) if stored else unpacked_limit(raw, most)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
            if entries and entries[0].header_offset != 0:
                raise Corrupt(f"{where} is cut off, or something was put before it")
            known = (zipfile.ZIP_STORED,) if stored else (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if any(entry.compress_type not in known for entry in entries):
                raise Corrupt(
                    f"{where} is a compressed archive, not a saved model"
                    if stored
                    else f"{where} is compressed in a way that is not read; write it deflated"
                )
            if stored and any(entry.file_size != entry.compress_size for entry in entries):
                raise Corrupt(f"{where} is damaged: an entry has two sizes")
            ends = [e.header_offset + 30 + e.compress_size + len(e.filename) for e in entries]
            starts = [*(entry.header_offset for entry in entries[1:]), len(raw)]
            if any(end > start for end, start in zip(ends, starts, strict=True)):
                raise Corrupt(f"{where} is damaged: its entries overlap")
            if len({entry.filename for entry in entries}) != len(entries):
                raise Corrupt(f"{where} is damaged: it names an entry twice")
            total = sum(entry.file_size for entry in entries)
            if total > limit:
                raise too_large(raw, where, total, limit)
            return {entry.filename: archive.read(entry) for entry in entries}
    except _DAMAGE as error:
        if isinstance(error, BadInput):
            raise
        raise Corrupt(f"{where} is damaged or not a saved model: {error}") from error


def unpacked_limit(raw: bytes, most: int | None = None) -> int:
    """Return how many bytes a compressed file may unpack to.

    `most`, or UNTEACH_UNPACKED, or 2**28; but at least eight times the file itself.
    """
    given = os.environ.get("UNTEACH_UNPACKED", "")
    if given and not given.isdecimal():
        raise BadInput(f"UNTEACH_UNPACKED is a number of bytes, got {given!r}")
    return max(int(given or UNPACKED) if most is None else most, 8 * len(raw))


def too_large(raw: bytes, where: str, total: int, limit: int) -> BadInput:
    """Return the refusal of a file that would unpack to more than it may."""
    return BadInput(
        f"{where} has {len(raw):,} bytes and would unpack to {total:,}; at most {limit:,} are "
        "unpacked. If you know who wrote it, allow more by unpacked= or by the environment "
        "variable UNTEACH_UNPACKED, both in bytes"
    )


def array_form(raw: bytes, *, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, whether columns come first, type, and where the numbers of an .npy file begin.

    A header that does not fit the bytes behind it is refused, and so are Python objects.
    """
    stream = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise Corrupt(f"{where} is an array of version {version}, which is not read")
        first = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, columns, dtype = read(stream)
    except _DAMAGE as error:
        raise Corrupt(f"{where} is damaged or no array: {error}") from error
    body = len(raw) - stream.tell()
    if dtype.hasobject:
        raise Corrupt(f"{where} holds Python objects (a pickle), which are not read")
    if min(shape, default=0) < 0 or (not dtype.itemsize and any(shape)):
        raise Corrupt(f"{where} is damaged: there is no array of {dtype} {shape}")
    if math.prod(shape) * dtype.itemsize != body:
        raise Corrupt(f"{where} is damaged: {dtype} {shape} is not what {body} bytes hold")
    return shape, columns, dtype, stream.tell()


def array_from(raw: bytes, *, where: str) -> NDArray[Any]:
    """Return the array of an .npy file, whose header must fit its bytes; never a pickle."""
    shape, columns, dtype, start = array_form(raw, where=where)
    if dtype.names or dtype.subdtype:
        raise Corrupt(f"{where} holds {dtype}; plain arrays alone are read")
    flat = np.frombuffer(raw, dtype, offset=start) if len(raw) > start else np.empty(0, dtype)
    try:
        return flat.reshape(shape, order="F" if columns else "C").copy()
    except ValueError as error:
        raise Corrupt(f"{where} is damaged: there is no array of shape {shape}") from error


def arrays_from(
    raw: bytes, *, where: str, most: int | None = None
) -> NDArray[Any] | dict[str, NDArray[Any]]:
    """Return the array of an .npy file, or those of an .npz by name, within what `unzipped` may."""
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        return array_from(raw, where=where)
    parts = unzipped(raw, where=where, most=most)
    return {k.removesuffix(".npy"): array_from(v, where=where) for k, v in parts.items()}


def json_from(raw: bytes | str, *, where: str, finite: bool = True) -> Any:
    """Return what a JSON text says; endless nesting is refused, and numbers must be `finite`.

    >>> json_from('{"a": [1, 2.5]}', where="it")
    {'a': [1, 2.5]}
    """

    def number_of(text: str) -> float:
        number = float(text)
        if finite and not math.isfinite(number):
            raise ValueError(f"{text} is no finite number")
        return number

    try:
        value = json.loads(raw, parse_constant=number_of, parse_float=number_of)
        json.dumps(value)
        return value
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"{where} is damaged: its settings are no JSON ({error})") from error


def write_whole(path: str | os.PathLike[str], data: bytes, *, private: bool = False) -> Path:
    """Write a file whole or not at all: a temporary beside it, flushed, then renamed.

    A private file can be read by its owner alone: what holds rows of people is. A file that is
    replaced stays at least as closed as it was.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:  # the umask applies to what is made; asking for it would change it for other threads
        handle = os.open(temporary, flags, 0o600 if private else 0o666)
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as out:
            if target.is_file():
                os.chmod(temporary, os.fstat(handle).st_mode & target.stat().st_mode)
            out.write(data)
            out.flush()
            os.fsync(handle)
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
