"""A pipeline that forgets through its steps: a classifier cannot see that its scaler remembers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from unteach.core import (
    BadInput,
    Claim,
    Contents,
    Corrupt,
    Exact,
    Forgets,
    Keeps,
    OneClassLeft,
    Saved,
    densified,
    said,
    tight,
)

from ..saving import Restore, saved_of
from ..steps import combined, passes, public_step, refitted, unseeded
from .new_ids import following_ids, next_id, refuse_known, refuse_none
from .pipeline_rows import Raw, step_refusals
from .scaler import Scaler
from .training_rows import atomic
from .validation import read_weight

Mode = Literal["nothing", "fixed", "frozen", "own", "refit"]
_REFIT = 1e-10


def _transforms(self: Any) -> bool:
    return passes(self.steps[-1][1]) or hasattr(self.steps[-1][1], "transform")


class Pipeline(SklearnPipeline, Forgets):
    """Transformers and a final estimator, as in scikit-learn; `forget` goes through all of them.

    A transformer's statistics (a mean, a vocabulary, principal axes) come from all rows, also
    from those that are forgotten. Each step forgets in the way that it can:

    - a step with its own `forget` (a `Scaler`, a model of unteach) is asked to
    - any other is fitted again on the rows that are left, with `statistics="follow"`; with
      `statistics="frozen"` a transformer stays as it is and the claim says so in `given`
    - public steps stay as they are: `Scaler(statistics="public")` after it was fitted, and
      anything in scikit-learn's `FrozenEstimator`
    - once a transformer has moved, what stands behind it is fitted again on what it now gives

    The steps given to the constructor are cloned by `fit` and stay as they are; the fitted ones
    are in `steps` and `named_steps`. `sample_weight` is handed to every step that takes it.
    Claims combine: the largest atol, every `given`. A step that is fitted again claims
    `Exact(1e-10)`, in distribution only if it draws without a seed.

    Parameters
    ----------
    steps : list of (name, estimator); "passthrough" leaves a step out
    statistics : "follow" or "frozen", for transformers that have no `statistics` of their own

    Examples
    --------
    >>> from unteach.models import Logistic, Scaler
    >>> x = np.array([[0.0], [2.0], [4.0], [6.0], [1e6]])
    >>> model = Pipeline([("scale", Scaler()), ("model", Logistic())]).fit(x, [0, 0, 1, 1, 0])
    >>> model.forget([4]).named_steps["scale"].mean_, model.predict([[7.0]])
    (array([3.]), array([1]))
    """

    def __init__(self, steps: Any, *, statistics: Literal["follow", "frozen"] = "follow") -> None:
        super().__init__(steps)
        self.statistics = statistics

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, slice):
            if which.step not in (1, None):
                raise ValueError("a slice of a pipeline has step 1")
            return type(self)(self.steps[which], statistics=self.statistics)
        return super().__getitem__(which)

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, sample_ids: Any = None) -> Self:
        """Learn from rows X and targets y, through clones of the steps."""
        with atomic(self), step_refusals():
            self._validate_steps()
            self._next_id: int | None = None
            self._following = self.statistics
            self._recipe: dict[str, Any] = {}
            if self.statistics not in ("follow", "frozen"):
                raise BadInput(f'statistics is "follow" or "frozen", got {self.statistics!r}')
            raw, ids = self._read(X, y, sample_weight, sample_ids, first=True)
            steps, z = [], raw.x
            for name, step, mode in self._transformers():
                if mode == "fixed":
                    step = public_step(name, step)
                    if isinstance(step, Scaler):
                        step.must_be_apart(z, raw.weight)
                elif mode != "nothing":
                    self._recipe[name] = clone(step)
                    step, z = refitted(step, z, raw, ids, last=False)
                if mode == "fixed":
                    z = step.transform(z)
                steps.append((name, step))
            name, final = self.steps[-1]
            if not passes(final):
                self._recipe[name] = clone(final)
                final, _ = refitted(final, z, raw, ids, last=True)
            self._settle([*steps, (name, final)], raw, ids)
        return self

    @available_if(_transforms)  # type: ignore[untyped-decorator]
    def fit_transform(self, X: Any, y: Any = None, **parameters: Any) -> Any:
        """Learn from rows and return what the last step makes of them."""
        return self.fit(X, y, **parameters).transform(X)

    def forget(self, ids: Any) -> Self:
        """Forget these records in every step that learned from them; atomic."""
        check_is_fitted(self)
        refuse_none(ids)
        rows = self._positions(ids)
        if len(rows) == 0:
            return self
        keep = np.ones(len(self.sample_ids_), dtype=bool)
        keep[rows] = False
        left = tight(self.sample_ids_[keep])
        final = self.steps[-1][1]
        kept = None if self._raw is None else self._raw.take(keep)
        if kept is not None and kept.y is not None and is_classifier(self):
            some = kept.y if kept.weight is None else kept.y[kept.weight > 0]
            if len(np.unique(some)) < 2:
                raise OneClassLeft(
                    f"forgetting these {len(rows)} records leaves one class; a classifier needs two"
                )
        with atomic(self), step_refusals():
            steps, z, moved = [], None if kept is None else kept.x, False
            for name, step, mode in self._transformers():
                before = step
                if mode in ("own", "refit") and (moved or mode == "refit"):
                    step, z = refitted(self._recipe[name], z, kept, left, last=False)
                    steps.append((name, step))
                    moved = True
                    continue
                if mode == "own" or (mode == "frozen" and isinstance(step, Forgets)):
                    step = step.without(ids)
                if z is not None and not passes(step):
                    now = step.transform(z)
                    moved = moved or (mode == "own" and not _same(before.transform(z), now))
                    z = now
                steps.append((name, step))
            if passes(final):
                pass
            elif moved or not isinstance(final, Forgets):
                recipe = self._recipe[self.steps[-1][0]]
                final, _ = refitted(recipe, z, kept, left, last=True)
            else:
                final.forget(ids)
            self._settle([*steps, (self.steps[-1][0], final)], kept, left)
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        sample_ids: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Insert rows exactly: the pipeline then equals a fit of all its rows.

        Where every transformer is fixed and the final estimator inserts on its own, the new rows
        alone are read; else all steps are fitted again. Frozen transformers stay.
        """
        if not hasattr(self, "claim_"):
            return self.fit(X, y, sample_weight, sample_ids)
        self._positions([])  # refuses a pipeline that was exported by name
        first = next_id(self.sample_ids_, self._next_id)
        given = following_ids(first, sample_ids, _num_samples(X))
        new, new_ids = self._read(X, y, sample_weight, given, first=False)
        refuse_known(self.sample_ids_, new_ids)
        known: tuple[int, ...] = () if self._raw is None else np.shape(self._raw.x)
        width: tuple[int, ...] = np.shape(new.x)
        if len(known) == 2 and known[1:] != width[1:]:
            raise BadInput(
                f"X has {width[-1]} features, but {type(self).__name__} is expecting {known[1]} "
                "features as input"
            )
        ids = np.concatenate([self.sample_ids_, new_ids])
        raw = None if self._raw is None else self._raw.joined(new)
        with atomic(self), step_refusals():
            steps: list[tuple[str, Any]] = []
            z, fresh = (None if raw is None else raw.x), new.x
            for name, step, mode in self._transformers():
                if mode in ("own", "refit"):
                    step, z = refitted(self._recipe[name], z, raw, ids, last=False)
                elif not passes(step):
                    if mode == "frozen" and isinstance(step, Forgets):
                        copied: Any = step.without([])
                        step = copied.partial_fit(fresh, sample_ids=new_ids)
                    z = None if z is None else step.transform(z)
                    fresh = step.transform(fresh)
                steps.append((name, step))
            name, final = self.steps[-1]
            if not passes(final):
                if raw is not None:
                    final, _ = refitted(self._recipe[name], z, raw, ids, last=True)
                else:
                    weights = {} if new.weight is None else {"sample_weight": new.weight}
                    final.partial_fit(fresh, new.y, classes=classes, sample_ids=new_ids, **weights)
            self._settle([*steps, (name, final)], raw, ids)
        return self

    def keeps(self) -> Keeps:
        """Say what the pipeline and its steps hold; other people's steps are not looked into."""
        steps = [(name, step) for name, step in self.steps if not passes(step)]
        own = [step.keeps() for _, step in steps if isinstance(step, Forgets)]
        rows = len(self.sample_ids_) if getattr(self, "_raw", None) is not None else 0
        statistics = [s for held in own for s in held.statistics]
        statistics += [
            f"whatever the fitted {type(step).__name__} keeps"
            for _, step in steps
            if not isinstance(step, Forgets)
        ]
        return Keeps(
            max([rows, *(held.rows for held in own)]),
            max([0, *(held.needed for held in own)]),
            tuple(statistics),
        )

    def to_saved(self, *, serving: bool = False, allow_pickle: bool = False) -> Saved:
        """Return what `save` (or, when serving, `export`) writes: each step a file in the file."""
        check_is_fitted(self)
        arrays: dict[str, Any] = {}
        serving = serving or not hasattr(self, "sample_ids_")
        if not serving:
            arrays["ids"] = self.sample_ids_
            arrays |= {} if self._raw is None else self._raw.arrays()
        blobs, names = {}, []
        for number, (name, step) in enumerate(self.steps):
            names.append(name if not passes(step) else [name, "passthrough"])
            if not passes(step):
                inner = saved_of(step, serving=serving, allow_pickle=allow_pickle)
                blobs[f"step-{number:02d}"] = inner.to_bytes()
        config: dict[str, Any] = {
            "steps": names,
            "statistics": self.statistics,
            "serving": serving,
        }
        if self._following != self.statistics:
            config["fitted"] = self._following
        if not serving:
            config["next_id"] = self._next_id
        return Saved("unteach.models:Pipeline", config, arrays, blobs)

    @classmethod
    def from_nested(cls, saved: Saved, restore: Restore) -> Self:
        """Return the pipeline that `to_saved` described; `restore` reads the file of a step."""
        held = Contents.of(saved)
        steps: list[tuple[str, Any]] = []
        for number, name in enumerate(saved.config["steps"]):
            if isinstance(name, list):
                steps.append((str(name[0]), "passthrough"))
            else:
                steps.append((name, restore(saved.blobs[f"step-{number:02d}"], f"step {name!r}")))
        statistics: Any = held.text("statistics", "follow", "frozen")
        self = cls(steps, statistics=statistics)
        self._validate_steps()
        self._following = saved.config.get("fitted", statistics)
        if self._following not in ("follow", "frozen"):
            raise Corrupt(f"the saved pipeline followed {self._following!r}")
        self._recipe = {name: clone(step) for name, step in steps if not passes(step)}
        self.claim_ = self._combined()
        if held.flag("serving"):
            self.claim_ = said(self.claim_)
            return self
        self.sample_ids_ = held.array("ids", "ids (n)")
        self._next_id = next_id(self.sample_ids_, held.next_id())
        self._raw = Raw.of(saved.arrays)
        if not self._borne_out(held):  # what others' steps learned is taken on the file's word
            self.claim_ = said(self.claim_)
        return self

    def _borne_out(self, held: Contents) -> bool:
        """Say whether the rows in a file give all that the steps hold; refuse what they do not."""
        raw, ids, n = self._raw, self.sample_ids_, held.sizes["n"]
        sizes = [] if raw is None else [_num_samples(v) for v in raw.parts if v is not None]
        if raw is not None and raw.weight is not None:
            held.array("weight", "float64 (n)", least=0.0)
        if n == 0 or any(size != n for size in sizes):
            raise Corrupt("the saved pipeline holds columns of different lengths")
        final = self.steps[-1][1]
        wanted = not passes(final) and get_tags(final).target_tags.required
        if raw is not None and raw.y is None and wanted:
            raise Corrupt("the saved pipeline lacks the targets of its rows")
        z, own = None if raw is None else raw.x, True
        for _, step in self.steps:
            if passes(step):
                continue
            known = getattr(step, "sample_ids_", None)
            if known is not None and not np.array_equal(np.sort(known), np.sort(ids)):
                raise Corrupt("a step of the saved pipeline learned other records")
            own &= isinstance(step, Forgets) or not get_tags(step).requires_fit
            seen = step.inputs_of(ids) if known is not None and z is not None else None
            if seen is not None and np.size(seen) and not np.allclose(densified(z), seen, 1e-9, 0):
                raise Corrupt("a step of the saved pipeline learned other rows")
            z = step.transform(z) if z is not None and step is not self.steps[-1][1] else None
        return own

    @classmethod
    def from_saved(cls, saved: Saved) -> Self:
        """Refuse: the steps are files of their own, which `unteach.models.load` reads."""
        raise BadInput("a saved pipeline is read by unteach.models.load")

    def _read(self, X: Any, y: Any, weight: Any, ids: Any, *, first: bool) -> tuple[Raw, Any]:
        n = _num_samples(X)
        if y is not None:
            y = np.array(y)
            if len(y) != n:
                raise BadInput(f"y has {len(y)} entries for {n} rows of X")
        if n == 0:
            raise BadInput("there are no rows to learn from")
        weight = None if weight is None else read_weight(weight, n, some=first)
        return Raw.copied(X, y, weight), self._checked_ids(ids, n).copy()

    def _transformers(self) -> Iterator[tuple[str, Any, Mode]]:
        for name, step in self.steps[:-1]:
            yield name, step, self._mode(step)

    def _mode(self, step: Any) -> Mode:
        if passes(step):
            return "nothing"
        own = getattr(step, "statistics", None)
        if own == "public" or isinstance(step, FrozenEstimator):
            return "fixed"
        if isinstance(step, Forgets):
            return "frozen" if own == "frozen" and not hasattr(step, "steps") else "own"
        if not get_tags(step).requires_fit:
            return "frozen"  # it learns nothing
        return "frozen" if self._following == "frozen" else "refit"

    def _settle(self, steps: list[tuple[str, Any]], raw: Raw | None, ids: Any) -> None:
        self.steps = steps
        modes = [mode for _, _, mode in self._transformers()]
        own_final = isinstance(steps[-1][1], Forgets)
        self._raw = raw if not own_final or {"own", "refit"} & set(modes) else None
        self._next_id = next_id(ids, self._next_id)
        self.sample_ids_ = ids
        self.claim_ = self._combined()

    def _combined(self) -> Claim:
        claims: list[Claim] = []
        for name, step, mode in [*self._transformers(), (*self.steps[-1], "refit")]:
            if passes(step):
                continue
            if isinstance(step, Forgets):
                claims.append(step.claim_)
            elif mode == "fixed":
                claims.append(Exact(0.0, given=(f"step {name!r} from public rows",)))
            elif mode == "frozen":
                learned = get_tags(step).requires_fit
                given = (f"step {name!r} from all fitted rows",) if learned else ()
                claims.append(Exact(0.0, given=given))
            else:
                claims.append(Exact(_REFIT, "distribution" if unseeded(step) else "values"))
        return combined(claims)


def _same(a: Any, b: Any) -> bool:
    if hasattr(a, "tocsr"):
        return bool(a.shape == b.shape and (a != b).nnz == 0)
    return np.array_equal(np.asarray(a), np.asarray(b))
