"""The stored side of a study of memories: its run, its tasks, its shards."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unteach.core import BadInput, Corrupt, Progress, Table, densified, described, digest, pseudonym
from unteach.models import EstimatorLearner

from .shard_task import Place, forget_records, packed, train_range
from .subset_design import Design, Kind, pieces

if TYPE_CHECKING:
    from unteach.store import Run, Shard, Store

NAME = "memories"
RECORDS = "records"  # the task that names the blob of the records


@dataclass(frozen=True, eq=False)
class Project:
    """Where the outcomes of one study lie: a project folder, or a temporary one.

    The plan of its run names the records by a digest under the project's key, which says
    nothing to whoever lacks the key. Ids are never stored. The folder holds the records, as a
    blob that says so, and the shards, until a purge takes both.
    """

    learner: Any
    seed: int
    design: Kind
    x: Any
    y: Any
    at: Any
    answers: Any
    where: Any = None
    _state: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        what = self.learner
        what = what.estimator if isinstance(what, EstimatorLearner) else what
        self._state["learner"] = described(what)  # once: code may count its own calls
        if self.where is None:
            folder = tempfile.mkdtemp(prefix="unteach-memories-")
            self._state["folder"] = folder
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @contextmanager
    def open(self) -> Iterator[Store]:
        """Yield the store; one that was handed in stays open."""
        from unteach.store import Store

        if isinstance(self.where, Store):
            yield self.where
            return
        place: str | os.PathLike[str] = self._state["folder"] if self.where is None else self.where
        with Store.open(place) as store:
            yield store

    def train(
        self, fraction: Fraction, models: int, *, jobs: int | None, progress: Progress | None
    ) -> None:
        """Train what is missing of models 0 to `models` - 1; what is damaged is trained again."""
        from unteach.engine import Pace, TasksFailed, run_tasks

        with self.open() as store:
            run = store.begin(self._plan(store), name=NAME, grow=True)
            try:
                blob, checksum = self._records(store, run)
                before = self._mend(store, run)
                have = self._models(run.results(), fraction)
                known = {p["last"] for _, p in self._ranges(run.pending(), fraction)}
                start = max([have, *known])
                block = Design(len(self.y), fraction, self.seed, self.design).block
                run.add_tasks(
                    [_task(fraction, a, b) for a, b in pieces(start, models, block)]
                    if models > start
                    else [],
                    holds_rows=True,
                )
                sizes = {key: p["last"] - p["first"] for key, p in run.pending()}
                place = Place(
                    str(store.path), run.id, blob, checksum, self.learner, self.seed, self.design
                )
                pace = Pace(progress, sizes, done=sum(_of(run.results()).values()))
                try:
                    run_tasks(run, partial(train_range, place), jobs=jobs, progress=pace)
                except TasksFailed as failure:
                    if failure.refusal:  # the learner refuses these records, whatever the subset
                        raise BadInput(failure.refusal) from failure
                    raise
                finally:
                    forget_records()
                self._same(run, before)
                run.finish([], [_summary(run.results())])
            finally:
                run.close()

    def shards(self, fraction: Fraction) -> Iterator[Shard]:
        """Yield the shards of a fraction, in the order of their models; none is trusted."""
        from unteach.store import read_shard

        with self.open() as store:
            run = self._run(store)
            found = {} if run is None else run.results()
            mine = [r for r in found.values() if r and r.get("fraction") == str(fraction)]
            for result in sorted(mine, key=lambda r: int(r["first"])):
                yield read_shard(store.path, result["shard"], result["checksum"])

    def trained(self) -> dict[Fraction, int]:
        """Return how many models there are of each fraction."""
        with self.open() as store:
            run = self._run(store)
            return {} if run is None else _of(run.results())

    def output_kind(self, fraction: Fraction) -> str:
        """Return what the outputs of the models are: "logits" or "scores"."""
        with self.open() as store:
            run = self._run(store)
            for result in ({} if run is None else run.results()).values():
                if result.get("fraction") == str(fraction):
                    return str(result["outputs"])
        raise BadInput("no models have been trained yet; call run(models=...) first")

    def _plan(self, store: Store) -> dict[str, Any]:
        if "records" not in self._state:
            self._state["records"] = digest(packed(self.x, self.y, self.at, self.answers))
        return {
            "learner": self._state["learner"],
            "seed": self.seed,
            "design": self.design,
            "records": pseudonym(self._state["records"], store.key()),
            "n": len(self.y),
            "queries": len(self.answers),
        }

    def _run(self, store: Store) -> Run | None:
        """Return this study's run to be read, or None if there is none."""
        wanted = digest({"name": NAME, "plan": self._plan(store)})[:12]
        if any(summary.id == wanted for summary in store.runs()):
            return store.run(wanted)
        return None

    def _records(self, store: Store, run: Run) -> tuple[str, str]:
        """Return the blob that holds the records, and its digest; write it if it is not there."""
        raw = packed(self.x, self.y, self.at, self.answers)
        run.add_tasks({RECORDS: {}}, holds_rows=True)
        known = run.results().get(RECORDS)
        if known is not None:
            try:
                if digest(store.get(known["blob"])) == digest(raw):
                    return known["blob"], digest(raw)
            except (BadInput, Corrupt):
                pass  # purged, lost or damaged: it is written anew under another name
            run.again([RECORDS])
        blob = store.put(raw, holds_rows=True, run=run)
        run.record(RECORDS, {"blob": blob})
        return blob, digest(raw)

    def _mend(self, store: Store, run: Run) -> dict[str, str]:
        """Make tasks whose shard is lost or damaged pending again; return their checksums."""
        from unteach.store import shard_damage

        lost = {}
        for key, result in run.results().items():
            if "shard" not in result:
                continue
            wrong = shard_damage(store.path, result["shard"], result["checksum"])
            if wrong:
                lost[key] = str(result["checksum"])
                path = store.path / "shards" / result["shard"]
                warnings.warn(f"{path} {wrong}; it is computed again", UserWarning, stacklevel=4)
        run.again(lost)
        return lost

    def _same(self, run: Run, before: dict[str, str]) -> None:
        results = run.results()
        other = [key for key, checksum in before.items() if results[key]["checksum"] != checksum]
        if other:
            raise Corrupt(
                f"computed again, {other[0]} came out differently: the learner is not a function "
                "of its seed, or has changed; begin another study (another seed or folder)"
            )

    def _ranges(self, pending: Any, fraction: Fraction) -> list[tuple[str, Any]]:
        return [(k, p) for k, p in pending if p.get("fraction") == str(fraction)]

    def _models(self, results: dict[str, Any], fraction: Fraction) -> int:
        lasts = [r["last"] for r in results.values() if r.get("fraction") == str(fraction)]
        return max(lasts, default=0)


def _task(fraction: Fraction, first: int, last: int) -> tuple[str, dict[str, Any]]:
    payload = {"fraction": str(fraction), "first": first, "last": last}
    return f"p = {fraction}, models {first} to {last - 1}", payload


def _of(results: dict[str, Any]) -> dict[Fraction, int]:
    """Return how many models there are of each fraction."""
    found: dict[Fraction, int] = {}
    for result in results.values():
        if "models" in result:
            p = Fraction(result["fraction"])
            found[p] = found.get(p, 0) + int(result["models"])
    return dict(sorted(found.items()))


def _summary(results: dict[str, Any]) -> Table:
    found = _of(results)
    fractions = [float(p) for p in found]
    columns: dict[str, list[float]] = {"fraction": fractions, "models": list(found.values())}
    return Table("models", columns, {"models": "models"}, ("fraction",))


def as_labels(y: Any, what: str = "y") -> Any:
    """Return labels as an array; a record without one, or labels that do not sort, are refused.

    >>> as_labels(["b", "a"]).tolist()
    ['b', 'a']
    """
    labels = np.asarray(y)
    if labels.dtype.kind not in "OU" or labels.ndim != 1:
        return labels
    each = list(y)  # as they came: beside text numpy makes a missing one the text "nan"
    lacking = [i for i, label in enumerate(each) if _missing(label)]
    if lacking:
        raise BadInput(f"{what}: the record at row {lacking[0]} has no label; fill or drop it")
    kinds = sorted({"text" if isinstance(label, str) else "a number" for label in each})
    if len(kinds) > 1:
        raise BadInput(f"{what}: some labels are text and some are numbers; make them one kind")
    return labels


def class_codes(y: Any) -> Any:
    """Return the class code of each record, 0 to k - 1; several labels a record are refused.

    >>> class_codes(["b", "a", "b"]).tolist()
    [1, 0, 1]
    """
    labels = as_labels(y)
    if labels.ndim != 1:
        raise BadInput(f"y has shape {labels.shape}; memorization is of one label a record: (n,)")
    return np.unique(labels, return_inverse=True)[1]


def _missing(label: Any) -> bool:
    """Say whether this is None, not a number, or the NA and NaT of pandas."""
    nothing = type(label).__name__ in ("NAType", "NaTType")
    return label is None or nothing or (isinstance(label, (float, np.floating)) and label != label)


def as_queries(x: Any, y: Any, classes: Any, what: str, width: tuple[int, ...]) -> tuple[Any, Any]:
    """Return queries as arrays, their labels as class codes; what cannot be is refused."""
    if (x is None) != (y is None):
        raise BadInput(f"{what}: give both the inputs and their labels")
    if x is None:
        return np.zeros((0, *width)), np.zeros(0, dtype=np.int64)
    try:
        x = np.asarray(densified(x, what), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{what}: inputs are numbers; encode what is none ({error})") from error
    y = as_labels(y, what)
    if x.ndim and len(x) != y.size:
        raise BadInput(f"{what}: {len(x)} inputs for {y.size} labels; give one each")
    if x.shape[1:] != width or x.ndim == 0 or y.ndim != 1:
        raise BadInput(
            f"{what} has shapes {x.shape} and {y.shape}; the records have inputs of shape {width}"
        )
    if not np.isfinite(x).all():
        raise BadInput(f"{what} holds numbers that are not finite; fill or drop them first")
    strange = np.setdiff1d(y, classes)
    if len(strange):
        raise BadInput(f"{what} holds label {strange.tolist()[0]!r}, which no training record has")
    return np.ascontiguousarray(x), np.searchsorted(classes, y).astype(np.int64)


def project_path(store: Any) -> Path | None:
    """Return the folder of a store, or None where it is temporary."""
    return None if store is None else Path(getattr(store, "path", store))
