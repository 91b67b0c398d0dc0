"""A standard scaler whose mean and scale can forget: they depend on every row they came from."""

from __future__ import annotations

import copy
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from unteach.core import BadInput, Claim, Contents, Corrupt, Exact, Keeps, densified

from .exact_sums import Moments
from .new_ids import refuse_none
from .training_rows import Held, HoldsRows, as_fitted, atomic
from .validation import Floats, place_of_fault, read_queries, read_weight

FROZEN = "scaler mean and scale from all fitted rows"
PUBLIC = "scaler mean and scale from public rows"


class Scaler(HoldsRows, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Take off the mean and divide by the standard deviation, feature by feature.

    A scaler learns from rows as a model does: mean and scale hold a little of each. What
    becomes of that when a row is forgotten is chosen by `statistics`:

    - "follow": mean and scale are those of the rows that are left, to the bit (`Exact(0.0)`,
      from exact sums); the scaler holds the rows for that
    - "frozen": they stay as they were fitted, and the claim says so in `given`
    - "public": the scaler was fitted on rows that are never to be deleted. It holds no ids, is
      not fitted again inside a pipeline, and keeps what it learned when it is cloned

    Parameters
    ----------
    statistics : "follow", "frozen" or "public"
    with_mean, with_std : whether the mean is taken off, and whether the scale is divided by

    Attributes
    ----------
    mean_, var_, scale_ : (d,); 0 and 1 where not asked for; a feature without variance has
        scale 1

    Examples
    --------
    >>> scaler = Scaler().fit(np.array([[1.0], [3.0], [1e6]]))
    >>> scaler.forget([2]).mean_, scaler.scale_
    (array([2.]), array([1.]))
    """

    _private = ("_held", "_moments")

    def __init__(
        self,
        statistics: Literal["follow", "frozen", "public"] = "follow",
        with_mean: bool = True,
        with_std: bool = True,
    ) -> None:
        self.statistics = statistics
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, sample_ids: Any = None) -> Self:
        """Learn mean and scale from rows X (n, d); y is ignored."""
        super().fit(X, None, sample_weight, sample_ids)
        if self.statistics == "public":
            del self._held, self.sample_ids_, self._next_id
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        sample_ids: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Insert rows; under "frozen" their ids alone."""
        if self._chosen != "public" or not hasattr(self, "claim_"):
            fitted = hasattr(self, "claim_")
            if not fitted:
                return self.fit(X, y, sample_weight, sample_ids)
            return super().partial_fit(X, None, None, sample_ids, sample_weight)
        if not hasattr(self, "_moments"):
            raise BadInput("this scaler was exported only to serve and takes no more rows")
        with atomic(self), as_fitted(self):
            new = self._read(X, None, sample_weight, sample_ids, first=False)
            self.claim_ = self._insert(new, new)
        return self

    def forget(self, ids: Any) -> Self:
        """Forget these rows, as `statistics` says."""
        check_is_fitted(self)
        refuse_none(ids)
        if self._chosen == "public" and np.size(ids):
            raise BadInput(
                "a public scaler was fitted on rows that are never to be deleted and cannot "
                'forget; use statistics="follow" for rows that may be'
            )
        return self if self._chosen == "public" else super().forget(ids)

    def transform(self, X: Any) -> Floats:
        """Return the scaled rows: (m, d)."""
        x = read_queries(self, X)
        scaled: Floats = (x - self.mean_) / self.scale_
        return scaled

    def inverse_transform(self, X: Any) -> Floats:
        """Return scaled rows to where they came from: (m, d)."""
        x = read_queries(self, X)
        restored: Floats = x * self.scale_ + self.mean_
        return restored

    def must_be_apart(self, X: Any, sample_weight: Any = None) -> None:
        """Refuse rows to learn from of which exactly this public scaler was fitted."""
        x = read_queries(self, X)
        moments = Moments(x.shape[1])
        moments.add(x, read_weight(sample_weight, len(x)))
        own = getattr(self, "_moments", None)
        if own is not None and own.whole() == moments.whole():
            raise BadInput(
                "the public scaler was fitted on exactly these rows, which may have to be "
                'forgotten; fit it on public ones, or take statistics="follow"'
            )

    def keeps(self) -> Keeps:
        """Say what this scaler holds: rows only if its statistics follow them."""
        follows = hasattr(self, "_held") and self._chosen == "follow"
        return Keeps(len(self._held) if follows else 0, 0, ("mean", "scale"))

    @property
    def _chosen(self) -> str:
        """What `statistics` was when the scaler was fitted."""
        chosen: str = getattr(self, "_params", vars(self))["statistics"]
        return chosen

    def _read(self, X: Any, y: Any, weight: Any, ids: Any, *, first: bool) -> Held:
        if self.statistics not in ("follow", "frozen", "public"):
            raise BadInput(f'statistics is "follow", "frozen" or "public", got {self.statistics!r}')
        X = densified(X)
        try:
            x = np.array(validate_data(self, X, reset=first, dtype=np.float64, order="C"))
        except ValueError as error:
            raise BadInput(f"{error}{place_of_fault(X)}") from error
        weights = read_weight(weight, len(x), some=first)
        if not first and hasattr(self, "sample_ids_"):
            ids = self._following(ids, len(x))
        if not first and self.statistics == "frozen":
            x = x[:, :0].copy()
        none = np.zeros((len(x), 0))
        return Held(self._checked_ids(ids, len(x)).copy(), x, none, weights)

    def _settle(self, held: Held, claim: Claim) -> None:
        if self.statistics != "follow":  # the ids are enough
            held = Held(held.ids, held.x[:, :0].copy(), held.y, held.weight)
        super()._settle(held, claim)

    def _learn(self, held: Held) -> Claim:
        moments = Moments(held.x.shape[1])
        moments.add(held.x, held.weight)
        return self._set(moments)

    def _remove(self, kept: Held, gone: Held) -> Claim:
        if self.statistics == "frozen":
            return self._promise()
        moments = copy.deepcopy(self._moments)
        moments.take(gone.x, gone.weight)
        return self._set(moments)

    def _insert(self, held: Held, new: Held) -> Claim:
        if self.statistics == "frozen":
            return self._promise()
        moments = copy.deepcopy(self._moments)
        moments.add(new.x, new.weight)
        return self._set(moments)

    def _set(self, moments: Moments) -> Claim:
        mean, self.var_ = moments.mean(), moments.variance()
        self.mean_ = mean if self.with_mean else np.zeros_like(mean)
        self.scale_ = np.where((self.var_ > 0) & bool(self.with_std), np.sqrt(self.var_), 1.0)
        if self.statistics != "frozen":
            self._moments = moments
        return self._promise()

    def _promise(self) -> Claim:
        given = {"follow": (), "frozen": (FROZEN,), "public": (PUBLIC,)}[self.statistics]
        return Exact(atol=0.0, given=given)

    def _serves(self) -> dict[str, str]:
        return dict.fromkeys(("mean_", "var_", "scale_"), "float64 (d)")

    def _state(self, serving: bool) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config, arrays = super()._state(serving)
        if self._chosen == "public" and not serving and hasattr(self, "_moments"):
            arrays |= self._moments.arrays()
        return config, arrays

    def _columns(self) -> dict[str, str]:
        x = "float64 (n, d)" if self._chosen == "follow" else "float64 (n, 0)"
        return {"ids": "ids (n)", "x": x, "y": "float64 (n, 0)"}

    def _restore(self, config: Any, arrays: Any) -> None:
        super()._restore(config, arrays)
        with as_fitted(self):
            if "sums" in arrays:
                held = Contents(config, arrays, d=self.n_features_in_)
                read = {name: getattr(self, name) for name in self._serves()}
                self.claim_ = self._set(Moments.of(held))
                if not all(np.array_equal(v, getattr(self, name)) for name, v in read.items()):
                    raise Corrupt("mean and scale are not those of the sums in the file")
            fits = np.where((self.var_ > 0) & bool(self.with_std), np.sqrt(self.var_), 1.0)
        if (self.var_ < 0).any() or not np.array_equal(self.scale_, fits):
            raise Corrupt("the scale is not that of the variance")

    def _derived(self, rows: Held, held: Contents) -> Claim:
        return super()._derived(rows, held) if self._chosen == "follow" else self._promise()

    def __sklearn_clone__(self) -> Self:
        if self.statistics == self._chosen == "public" and hasattr(self, "claim_"):
            return copy.deepcopy(self)
        cloned: Self = super().__sklearn_clone__()
        return cloned
