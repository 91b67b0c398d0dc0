"""Models on disk: JSON and arrays; scikit-learn through skops; pickle only when asked for twice."""

from __future__ import annotations

import copy
import hashlib
import importlib
import importlib.util
import io
import json
import os
import pickle
import re
import zipfile
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from unteach.core import (
    BadInput,
    Corrupt,
    Saved,
    Untrusted,
    array_form,
    json_from,
    read_whole,
    too_large,
    unpacked_limit,
    unzipped,
    write_whole,
)

_OURS = re.compile(r"unteach\.[a-z]+:[A-Za-z]\w*")
_SKOPS, _PICKLE = "estimator.skops", "model.pickle"
_DAMAGE = (
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    AttributeError,
    EOFError,
    ArithmeticError,
    RecursionError,
    NotImplementedError,
    RuntimeError,
)
_DEEPEST = 8  # files in files
_SAFE_SKOPS = (0, 14)


def save(model: Any, path: str | os.PathLike[str], *, allow_pickle: bool = False) -> Path:
    """Write a fitted model to one file, whole or not at all, and return its path.

    The file may hold rows of people, and only its owner can read it.

    Models of unteach are written as JSON and arrays, other scikit-learn estimators by skops.
    What neither can write is refused, unless `allow_pickle`: then it is pickled, and whoever
    loads it must allow that too.
    """
    raw = saved_of(model, allow_pickle=allow_pickle).to_bytes()
    return write_whole(path, raw, private=True)


def load(
    path: str | os.PathLike[str],
    *,
    trusted: Sequence[str] = (),
    allow_pickle: bool = False,
    unpacked: int | None = None,
) -> Any:
    """Return the model that `save` (or a model's own `save` or `export`) wrote.

    Loading a model of unteach runs no code from the file. All that is in it is checked before it
    is used, and its claim is derived anew from the rows it holds; a model without its rows (one
    that was exported) claims what its file says, and says so. A scikit-learn estimator is loaded
    if skops trusts every type in it; further types are named by `trusted`. What is in it is as
    well checked as scikit-learn checks it. A pickle can run any code and is loaded only with
    `allow_pickle`.

    Parameters
    ----------
    path : the file; one written by skops alone, or a bare pickle, is read as well
    trusted : names of types ("package.module.Type") that may be in a scikit-learn estimator
    allow_pickle : whether a pickle may be loaded; the command line's --allow-pickle
    unpacked : bytes that a compressed file (by skops alone) may unpack to; if None, 256 MB or
        what the environment variable UNTEACH_UNPACKED says. Eight times the file is always fine.

    Raises `BadInput` if there is no such file or it would unpack to more, `Corrupt` if it is
    damaged or not a model, `Untrusted` if it holds types that are not trusted or a pickle that
    is not allowed.
    """
    if not isinstance(trusted, (list, tuple, set, frozenset)):
        raise BadInput("trusted is a list of names of types, such as ['package.module.Type']")
    return _model(read_whole(path), str(path), tuple(trusted), allow_pickle, unpacked)


def saved_of(model: Any, *, serving: bool = False, allow_pickle: bool = False) -> Saved:
    """Return what is written of a model; with `serving`, only what its predictions need."""
    if hasattr(type(model), "from_nested"):  # it holds other models, some of which may be pickled
        nested: Saved = model.to_saved(serving=serving, allow_pickle=allow_pickle)
        return nested
    if callable(getattr(model, "to_saved", None)):
        saved: Saved = model.to_saved(serving=serving)
        return saved
    name = f"{type(model).__module__}.{type(model).__qualname__}"
    bare = copy.copy(model)
    if "learner_" in getattr(bare, "__dict__", {}):
        del bare.learner_
    if isinstance(model, BaseEstimator) and not (allow_pickle and not _has_skops()):
        from skops.io.exceptions import UnsupportedTypeException

        try:
            raw = _steady(_skops().dumps(bare))
        except UnsupportedTypeException as error:
            if not allow_pickle:
                raise BadInput(
                    f"skops cannot write {name}: {error}; pickle it if you must, with "
                    "allow_pickle=True (--allow-pickle)"
                ) from error
        else:
            made_by = {"type": name, "scikit-learn": version("scikit-learn")}
            return Saved("skops", made_by, blobs={_SKOPS: raw})
    if not allow_pickle:
        raise BadInput(
            f"{name} is neither a model of unteach nor a scikit-learn estimator; it can only be "
            "pickled, with allow_pickle=True (--allow-pickle)"
        )
    return Saved("pickle", {"type": name}, blobs={_PICKLE: pickle.dumps(bare, protocol=5)})


def _model(
    raw: bytes,
    where: str,
    trusted: tuple[str, ...],
    allow_pickle: bool,
    unpacked: int | None,
    deep: int = 0,
) -> Any:
    if deep > _DEEPEST:
        raise Corrupt(f"{where} holds files in files, more than {_DEEPEST} deep")
    if len(raw) > 2 and raw[:1] == b"\x80" and raw[1] <= pickle.HIGHEST_PROTOCOL:
        return _from_pickle(raw, raw, where, allow_pickle)
    if _is_skops(raw):
        return _from_skops(raw, where, trusted, unpacked)
    saved = Saved.from_bytes(raw, where=where)
    if saved.kind == "skops":
        return _from_skops(_blob(saved, _SKOPS, where), where, trusted, unpacked)
    if saved.kind == "pickle":
        return _from_pickle(_blob(saved, _PICKLE, where), raw, where, allow_pickle)
    kind = _class(saved.kind, where)

    def restore(blob: bytes, name: str) -> Any:
        inside = f"{name} in {where}"
        return _model(blob, inside, trusted, allow_pickle, unpacked, deep + 1)

    try:
        if hasattr(kind, "from_nested"):
            return kind.from_nested(saved, restore)
        return kind.from_saved(saved)
    except Corrupt as error:
        if where in str(error):
            raise
        raise Corrupt(f"{where} is damaged: {error}") from error
    except _DAMAGE as error:
        raise Corrupt(f"{where} is damaged; it is not a {saved.kind}: {error}") from error


def _blob(saved: Saved, name: str, where: str) -> bytes:
    if name not in saved.blobs:
        raise Corrupt(f"{where} is damaged: {name} is missing")
    return saved.blobs[name]


def _class(kind: str, where: str) -> Any:
    """Return the class of a kind "module:Class", importing nothing but unteach and plugins."""
    if _OURS.fullmatch(kind):
        module, _, name = kind.partition(":")
        if importlib.util.find_spec(module) is not None:
            found = getattr(importlib.import_module(module), name, None)
            offers = isinstance(found, type) and callable(getattr(found, "from_saved", None))
            if offers and found.__module__.startswith(module):
                return found
    else:
        for point in entry_points(group="unteach.learners"):
            if point.value.replace(" ", "") == kind:
                return point.load()
    raise Corrupt(f"{where} holds a {kind!r}, which is no model of unteach or of a plugin here")


def _has_skops() -> bool:
    return importlib.util.find_spec("skops") is not None


def _skops() -> Any:
    if not _has_skops():
        raise BadInput(
            "scikit-learn estimators are written and read by skops, which is not installed: "
            'pip install "unteach[skops]"'
        )
    if tuple(map(int, re.findall(r"\d+", version("skops"))[:2])) < _SAFE_SKOPS:
        raise BadInput(
            f"skops {version('skops')} is installed, in which files can run code (fixed up to "
            "0.14, CVE-2025-54412 among others); pip install 'skops>=0.14'"
        )
    return importlib.import_module("skops.io")


def _steady(raw: bytes) -> bytes:
    """Return a skops file whose names are counted, not addresses: the same model, the same bytes.

    skops names objects and files by where they lay in memory (`__id__`, "140...24.npy") and
    stamps the time; names are given out here in the order in which the schema mentions them.
    """
    names: dict[str, str] = {}

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(part) for part in value]
        if not isinstance(value, dict):
            return value
        done: dict[str, Any] = {}
        for key, part in value.items():
            if key == "__id__" and isinstance(part, int):
                done[key] = int(names.setdefault(str(part), str(len(names) + 1)))
            elif key == "file" and isinstance(part, str):
                stem, dot, ending = part.partition(".")
                done[key] = names.setdefault(stem, str(len(names) + 1)) + dot + ending
            else:
                done[key] = walk(part)
        return done

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as given, zipfile.ZipFile(out, "w") as archive:
        files = {"schema.json": json.dumps(walk(json.loads(given.read("schema.json")))).encode()}
        for name in given.namelist():
            stem, dot, ending = name.partition(".")
            if name != "schema.json":
                files[names.get(stem, stem) + dot + ending] = given.read(name)
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), files[name])
    return out.getvalue()


def _is_skops(raw: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, *_DAMAGE):
        return False
    return "schema.json" in names and "model.json" not in names


def _from_skops(raw: bytes, where: str, trusted: tuple[str, ...], unpacked: int | None) -> Any:
    skops = _skops()
    _bound(raw, where, unpacked)
    try:
        strange = sorted(set(skops.get_untrusted_types(data=raw)) - set(trusted))
        if not strange:
            model = skops.loads(raw, trusted=list(trusted))
            _check_finite(model, where)
            return model
    except (*_DAMAGE, zipfile.BadZipFile, ImportError, AssertionError) as error:
        raise Corrupt(f"{where} is damaged, or of another version of skops: {error}") from error
    raise Untrusted(
        f"{where} holds types that are not trusted: {', '.join(strange)}. If you know them and who "
        f"wrote the file, load it with trusted={strange!r}"
    )


_FINITE = ("coef_", "intercept_", "dual_coef_", "support_vectors_", "theta_", "cluster_centers_")


def _check_finite(model: Any, where: str) -> None:
    """Refuse an estimator, or one inside it, whose coefficients are not finite."""
    todo, seen = [model], set()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, BaseEstimator):
            for name, value in vars(one).items():
                kind = getattr(getattr(value, "dtype", None), "kind", "")
                if name in _FINITE and kind in "fc" and kind and not np.isfinite(value).all():
                    raise Corrupt(f"{where} is damaged: {name} holds NaN or an infinity")
            todo += vars(one).values()
        elif isinstance(one, (list, tuple)):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()


def _bound(raw: bytes, where: str, unpacked: int | None) -> None:
    """Refuse a skops file that would unpack to more than it may; skops itself sets no limit."""
    sizes, parts = {}, unzipped(raw, where=where, most=unpacked)
    for name, data in parts.items():
        sizes[name] = len(data)
        inside = [data]
        if data[:4] == b"PK\x03\x04":  # a sparse matrix is an archive of its own
            inside = [*unzipped(data, where=f"{name} in {where}", most=unpacked).values()]
            sizes[name] += sum(map(len, inside))
        for part in inside:
            if part[:6] == b"\x93NUMPY":
                array_form(part, where=f"{name} in {where}")
    total, todo = 0, [json_from(parts.get("schema.json", b""), where=where, finite=False)]
    while todo:  # a file counts as often as it is named: each time it is read anew
        value = todo.pop()
        if isinstance(value, dict):
            total += sizes.get(str(value.get("file")), 0)
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    limit = unpacked_limit(raw, unpacked)
    if max(total, sum(sizes.values())) > limit:
        raise too_large(raw, where, total, limit)


def _from_pickle(raw: bytes, file: bytes, where: str, allow_pickle: bool) -> Any:
    if not allow_pickle:
        raise Untrusted(
            f"{where} is a pickle, which can run any code when it is loaded (sha256 "
            f"{hashlib.sha256(file).hexdigest()}). If you know who wrote it, load it with "
            "allow_pickle=True (--allow-pickle)"
        )
    try:
        return pickle.loads(raw)  # noqa: S301  (asked for by the flag, and only then)
    except (*_DAMAGE, pickle.UnpicklingError, ImportError, MemoryError) as error:
        raise Corrupt(f"{where} is a damaged pickle: {error}") from error


Restore = Callable[[bytes, str], Any]
