"""Arms from what the user already has: files of logits, saved models, checkpoints, or models."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import (
    BadInput,
    Records,
    Request,
    Rows,
    Untrusted,
    arrays_from,
    read_whole,
    unseen,
)
from unteach.models import together

from .logits import logits_of, must_classify

LOGITS = (".npy", ".npz")
TENSORS = (".safetensors",)
PICKLED = (".pt", ".pth", ".ckpt", ".bin")


@dataclass(frozen=True)
class Examples:
    """What models are asked: inputs (None where files hold answers), labels, parts, names."""

    x: Any
    y: NDArray[Any]
    part: NDArray[np.str_]
    ids: NDArray[Any] | None
    groups: NDArray[Any] | None
    new: NDArray[np.bool_]
    """(q,) False for held-out examples that equal one that models learned from."""

    @classmethod
    def of(
        cls,
        x: Any,
        y: Any,
        part: Any,
        records: Records | None,
        forget: Any,
        holdout: Records | None,
    ) -> Examples:
        """Return the examples: arrays as given, or records in their order, then held-out ones."""
        if records is None:
            if y is None or part is None or forget is not None or holdout is not None:
                raise BadInput(
                    "say what the models are asked: records=, forget= and holdout=, or y= and "
                    "part= (and x=, unless all files hold logits)"
                )
            y, part = np.asarray(y), np.asarray(part, dtype=str)
            new = np.ones(len(part), dtype=bool)
            if x is not None and len(x) == len(y) == len(part):
                named = Rows(np.arange(len(y)), {"x": x, "y": y})
                new = _new(part, named.take(part != "holdout"), named.take(part == "holdout"))
            return cls(x, y, part, None, None, new)
        if forget is None or x is not None or y is not None or part is not None:
            raise BadInput("with records, name what is forgotten by forget=, and leave x, y, part")
        request = forget if isinstance(forget, Request) else Request(ids=forget)
        gone = np.isin(records.ids, request.targets(records))
        both = [records] if holdout is None else [records, holdout]
        names = [np.where(gone, "forget", "retain")]
        names += [np.full(len(held), "holdout") for held in both[1:]]
        grouped = all(r.groups is not None for r in both)
        changed = () if request.replace is None else (request.replace,)
        return cls(
            together([r.x for r in both]),
            np.concatenate([np.asarray(r.y) for r in both]),
            np.concatenate(names),
            np.concatenate([r.ids for r in both]),
            np.concatenate([np.asarray(r.groups) for r in both]) if grouped else None,
            _new(np.concatenate(names), records, holdout, *changed),
        )


def _new(part: Any, records: Records, holdout: Records | None, *changed: Records) -> Any:
    """Return which examples stay; held-out ones that were learned from are refused."""
    new = np.ones(len(part), dtype=bool)
    if holdout is not None and len(holdout):
        held, _ = unseen(holdout, records, *changed)
        new[part == "holdout"] = np.isin(holdout.ids, held.ids)
    return new


@dataclass(frozen=True)
class Reader:
    """How files become logits; `classes` says which output is which, None until a model says."""

    examples: Examples
    module: Callable[[], Any] | None
    classes: NDArray[Any] | None
    allow_pickle: bool
    trusted: tuple[str, ...]

    def arm(self, name: str, given: Any) -> tuple[NDArray[np.float32], list[str], Any]:
        """Return (N, q, k) logits of an arm, the files' names, and the classes that they say."""
        if isinstance(given, np.ndarray):
            return _checked(name, given, len(self.examples.y)), [], None
        found = _files(name, given) if isinstance(given, (str, os.PathLike)) else list(given)
        if not found:
            raise BadInput(f"{name}: the list of models is empty")
        parts: list[NDArray[np.float32]] = []
        names: list[str] = []
        classes: Any = None
        for one in found:
            isfile = isinstance(one, (str, os.PathLike))
            where = str(one) if isfile else f"{name}, model {len(names)}"
            said, own = self._file(Path(one)) if isfile else self._model(one)
            said = _checked(where, said, len(self.examples.y))
            if classes is not None and own is not None and list(own) != list(classes):
                raise _differ(where, own, classes)
            if parts and parts[0].shape[1:] != said.shape[1:]:
                raise BadInput(
                    f"{where} gives {said.shape[2]} classes, and those before it "
                    f"{parts[0].shape[2]}; all models answer for the same classes"
                )
            classes = own if classes is None else classes
            parts.append(said)
            names.append(where)
        return np.concatenate(parts), names, classes

    def _file(self, path: Path) -> tuple[Any, Any]:
        kind = path.suffix.lower()
        if kind in LOGITS:
            return _answers(path), None
        if kind in TENSORS or (kind in PICKLED and self.module is not None):
            return self._network(path, kind in PICKLED), None
        from unteach.models import load

        return self._model(load(path, trusted=self.trusted, allow_pickle=self.allow_pickle))

    def _model(self, model: Any) -> tuple[Any, Any]:
        if self.examples.x is None:
            raise BadInput("models must be asked something: give x=, or records=")
        must_classify(model)
        wanted = np.asarray(model.classes_) if self.classes is None else self.classes
        return logits_of(model, self.examples.x, wanted), wanted

    def _network(self, path: Path, pickled: bool) -> Any:
        if self.module is None:
            raise BadInput(f"{path} holds tensors alone; give module=factory, which makes the net")
        if self.examples.x is None:
            raise BadInput("networks must be asked something: give x=, or records=")
        from .networks import outputs_of, tensors_of

        if pickled and not self.allow_pickle:
            raise Untrusted(
                f"{path} is a pickle, which can run any code: save it as safetensors, or say "
                "allow_pickle=True"
            )
        return outputs_of(self.module(), tensors_of(path, pickled), self.examples.x, str(path))


def load_arms(
    arms: dict[str, Any],
    examples: Examples,
    module: Callable[[], Any] | None,
    classes: Any,
    allow_pickle: bool,
    trusted: Sequence[str],
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64]]:
    """Return the logits of each arm, and the examples' codes; what does not fit is refused."""
    given = None if classes is None else np.asarray(classes)
    reader = Reader(examples, module, given, allow_pickle, tuple(trusted))
    said: dict[str, NDArray[np.float32]] = {}
    names: dict[str, list[str]] = {}
    own = given
    for arm, what in arms.items():
        said[arm], names[arm], mine = reader.arm(arm, what)
        if own is not None and mine is not None and list(mine) != list(own):
            raise _differ(f"the {arm} arm", mine, own)
        own = mine if own is None else own
    _must_differ({arm: _named(what, names[arm]) for arm, what in arms.items()})
    first = said["original"].shape[2]
    for arm, values in said.items():
        if values.shape[2] != first:
            raise BadInput(
                f"the {arm} models answer for {values.shape[2]} classes, the originals for {first}"
            )
    if "unlearned" in said:
        _must_pair(names["original"], names["unlearned"], said)
    return said, _codes(examples.y, own, first)


def _named(what: Any, names: list[str]) -> set[Any]:
    """Return what tells the models of an arm from others: their files, or the objects."""
    listed = what if isinstance(what, (list, tuple)) else [what]
    return {os.path.realpath(n) for n in names if os.path.exists(n)} | {
        id(one) for one in listed if not isinstance(one, (str, os.PathLike))
    }


def _must_differ(arms: dict[str, set[Any]]) -> None:
    """Refuse retrained models that play another part too, where no control would show it."""
    for arm, other in (("retrained", "twin"), ("retrained", "unlearned"), ("twin", "unlearned")):
        both = arms.get(arm, set()) & arms.get(other, set())
        if both:
            raise BadInput(
                f"{len(both)} of the {arm} models are given as {other} too; a model plays one "
                "part: give others"
            )


def _must_pair(before: list[str], after: list[str], said: dict[str, NDArray[np.float32]]) -> None:
    """Refuse unlearned models whose originals are not there: each comes from one of its own."""
    n, m = len(said["original"]), len(said["unlearned"])
    if n != m:
        raise BadInput(
            f"{m} unlearned models for {n} originals; model j must be what a method made of "
            "original j, so that there are as many"
        )
    numbers = [[re.findall(r"\d+", Path(p).stem)[-1:] for p in arm] for arm in (before, after)]
    if len(before) == len(after) and all(x for arm in numbers for x in arm):
        for one, other, a, b in zip(before, after, *numbers, strict=True):
            if int(a[0]) != int(b[0]):
                raise BadInput(
                    f"{other} stands where the model unlearned from {one} should; number the "
                    "files of both arms alike"
                )


def _codes(y: NDArray[Any], classes: Any, k: int) -> NDArray[np.int64]:
    """Return labels as codes of the outputs."""
    if classes is None:  # logits say nothing of their classes
        whole = y.dtype.kind in "iu" and len(y) and y.min() >= 0 and y.max() < k
        classes = np.arange(k) if whole else np.unique(y)
        if len(classes) != k:
            raise BadInput(
                f"the labels name {len(classes)} classes and the models answer for {k}; give "
                "classes=[...], one an output, in their order"
            )
    known = np.asarray(classes)
    if len(known) != k:
        raise BadInput(f"classes names {len(known)}, and the models answer for {k}")
    place = {label: i for i, label in enumerate(known.tolist())}
    strange = sorted({str(v) for v in y.tolist() if v not in place})
    if strange:
        raise BadInput(f"no model answers for class {strange[0]}; they know {known.tolist()}")
    return np.array([place[v] for v in y.tolist()], dtype=np.int64)


def _differ(where: str, own: Any, others: Any) -> BadInput:
    return BadInput(
        f"{where} knows classes {list(own)}, the others {list(others)}; give classes=[...] to "
        "ask all for the same (one that a model never saw then stands 30 below its others)"
    )


def _files(name: str, given: str | os.PathLike[str]) -> list[str]:
    """Return the files of a glob or a folder, in the order of the numbers in their names."""
    pattern = os.fspath(given)
    if os.path.isdir(pattern):
        pattern = os.path.join(glob.escape(pattern), "*")
    found = [p for p in glob.glob(pattern) if os.path.isfile(p)]
    if not found:
        raise BadInput(f"{name}: no file matches {pattern!r} (from {os.getcwd()})")
    return sorted(found, key=_order)


def _order(path: str) -> list[Any]:
    """Return a key that puts model-10 behind model-2."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", path)]


def _answers(path: Path) -> NDArray[Any]:
    """Return the logits of a file: one model (q, k) or many (N, q, k); never a pickle."""
    read = arrays_from(read_whole(path), where=str(path))
    if isinstance(read, np.ndarray):
        return read
    held = [read[key] for key in sorted(read, key=_order)]
    if len({np.shape(a)[-2:] for a in held}) != 1:
        raise BadInput(f"{path} holds arrays of shapes {[np.shape(a) for a in held]}; one a model")
    return np.concatenate([a[None] if np.ndim(a) == 2 else a for a in held])


def _checked(where: str, said: Any, q: int) -> NDArray[np.float32]:
    values = np.asarray(said)
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[1] != q or values.dtype.kind not in "fiu":
        raise BadInput(
            f"{where} holds {values.dtype} {values.shape}; logits are (examples, classes) or "
            f"(models, examples, classes), of {q} examples"
        )
    if not np.isfinite(values).all():
        raise BadInput(f"{where} holds logits that are not finite")
    return values.astype(np.float32)
