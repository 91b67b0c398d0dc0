"""Reproduction: whether a recipe, learned again from all records, gives the model at hand."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import PredefinedSplit

from unteach.core import (
    BadInput,
    Claim,
    Exact,
    Heuristic,
    Learner,
    Records,
    UnteachError,
    derive,
    stream,
)

from ..outputs import classifies
from .estimator_learner import EstimatorLearner, as_learner, learner_of
from .origin import Origin, note, origin_of
from .seeding import frozen_parts, is_whole, random_states

SAME = 1e-6
"""A model is reproduced where no output differs by more than this part of their scale."""
_ASKED, _MIXED = 4096, 1024
_NUMBERS = ("predict_proba", "decision_function", "score_samples")


@dataclass(frozen=True)
class Difference:
    """How far two models are apart in one kind of output: `by`, where the outputs span `scale`."""

    what: str
    by: float
    scale: float

    @property
    def share(self) -> float:
        """The difference as a share of the scale: 0 for outputs that are equal."""
        return 0.0 if self.by == 0 else self.by / self.scale if self.scale > 0 else np.inf


@dataclass(frozen=True)
class Recipe:
    """How a model is to be learned again, and what may be claimed of the result."""

    learner: Learner
    seed: int
    claim: Claim


def recipe_for(
    model: Any,
    records: Records,
    *,
    learner: Any = None,
    fit_params: Mapping[str, Any] | None = None,
    seed: int | None = None,
    verify: bool = True,
) -> Recipe:
    """Return the recipe to learn a model again by, and the claim that it supports.

    A model that unteach learned from these records has its recipe and its seed. Of any other
    exactness is shown: the recipe is learned once from all records, and the outputs of the two
    models are compared on up to 4,096 of the records and on rows whose features are mixed from
    them. Only where no output differs by more than a millionth of its scale the claim is exact.

    Parameters
    ----------
    learner : the recipe; None takes the one that the model carries
    fit_params : what `fit` was given besides x and y; see `EstimatorLearner`
    seed : None keeps the seeds that the model was learned with
    verify : False takes the user's word instead
    """
    known = origin_of(model, records)
    if seed is None and hasattr(model, "ledger_"):  # noise that hides a model hides one alone
        seed = derive(0 if known is None else known.seed, "fresh noise", len(records))
    if known is not None and _serves(known, learner, fit_params, seed, verify):
        claim, recipe = _under(known.claim, known.learner, seed)
        return Recipe(recipe, known.seed if seed is None else seed, claim)
    recipe = _own(model) if learner is None else as_learner(learner)
    if fit_params is not None:
        if not isinstance(recipe, EstimatorLearner):
            raise BadInput(f"fit_params are for scikit-learn estimators, not {_named(recipe)}")
        recipe = EstimatorLearner(recipe.estimator, dict(fit_params), records.ids)
    if _learned_here(model) and _is_same(model.learner_, learner, fit_params):
        sense: Any = "distribution" if seed is None else "values"
        return Recipe(recipe, seed or 0, Exact(0.0, sense))
    if isinstance(recipe, EstimatorLearner):
        recipe = replace(recipe, keep_seeds=True)
    if not verify:
        drawn = any(not is_whole(value) for _, value in _states(recipe))
        word = Exact(0.0, "distribution" if drawn else "values", _frozen(recipe), basis="word")
        claim, recipe = _under(word, recipe, seed)
        return Recipe(recipe, seed or 0, claim)
    # code of the user's own may draw what no seed decides: it is tested with the seed it had
    by = known.seed if known is not None and not known.tested else seed or 0
    claim = _shown(model, records, recipe, by)
    shown: dict[str, Any] = {"contents": True, "tested": True, "asked": (learner, fit_params)}
    note(model, recipe, by, records, claim=claim, **shown)
    if isinstance(claim, Heuristic) and seed is not None and _kept(recipe):
        numbered = replace(recipe, keep_seeds=False)
        other = _shown(model, records, numbered, seed)
        if isinstance(other, Exact):
            note(model, numbered, seed, records, claim=other, **shown)
            return Recipe(numbered, seed, other)
    claim, recipe = _under(claim, recipe, seed)
    return Recipe(recipe, by if seed is None else seed, claim)


def doubt(model: Any, records: Records) -> str:
    """Return why models learned by a fitted estimator's recipe are not its like; "" if they are."""
    if not hasattr(model, "get_params"):
        return ""
    known = origin_of(model, records)
    claim = recipe_for(model, records).claim if known is None else known.claim
    return claim.because if isinstance(claim, Heuristic) else ""


def apart(one: Any, other: Any, x: Any) -> Difference:
    """Return the largest difference between two models' outputs: on rows x, and on mixed ones.

    Read are probabilities, decision values and scores; of a regression, and of models that have
    none of these, predictions and transforms. Labels differ by 1 or not at all.
    """
    n = len(x) if not hasattr(x, "shape") else x.shape[0]
    asked = [_at(x, np.unique(np.linspace(0, n - 1, min(n, _ASKED)).astype(np.int64)))]
    found: list[Difference] = []
    for rows in (*asked, *_mixed(x, n)):
        try:
            pairs = list(zip(_outputs(one, rows), _outputs(other, rows), strict=True))
        except (ValueError, TypeError):
            if rows is asked[0]:
                raise
            continue  # mixed rows are no inputs of this model
        found += [_difference(name, a, b) for (name, a), (_, b) in pairs]
    return max(found, key=lambda d: d.share)


def _shown(model: Any, records: Records, recipe: Learner, seed: int) -> Claim:
    """Return what is found by learning again from all records."""
    numbers = _row_numbers(recipe)
    if numbers:
        return Heuristic(
            f"{numbers} of this {_named(model)} holds row numbers, which name other rows once "
            "some are forgotten; give a splitter instead"
        )
    try:
        again = recipe.learn(records, seed=seed)
    except UnteachError as refusal:
        return Heuristic(
            f"this {_named(model)} cannot be learned again from all {len(records)} records: "
            f"{refusal}"
        )
    try:
        difference = apart(model, again, records.x)
    except NotFittedError as error:
        raise BadInput(
            f"this {_named(model)} is not fitted; hand in the model that has learned"
        ) from error
    except (AttributeError, TypeError, ValueError) as error:
        return Heuristic(
            f"this {_named(model)} and one learned again cannot be compared: {error}; was it "
            "written by another version of its library, or fitted to other columns?"
        )
    if difference.share <= SAME:
        return Exact(difference.by, given=_frozen(recipe), basis="reproduction")
    drawn = sorted(name for name, value in _states(recipe) if not is_whole(value))
    unseeded = f" ({', '.join(drawn[:3])} {'is' if len(drawn) == 1 else 'are'} not set)"
    return Heuristic(
        f"its recipe does not reproduce this {_named(model)}: learned again from all "
        f"{len(records)} records, {difference.what} differs by up to {difference.by:.3g}"
        f"{unseeded if drawn else ''}; hand in what it was learned with: "
        "fit_params={'sample_weight': w} and the like, seed= or an estimator with an integer "
        "random_state, and the same records in the same order; verify=False (--no-verify) takes "
        "your word for the recipe instead"
    )


def _under(claim: Claim, recipe: Any, seed: int | None) -> tuple[Claim, Any]:
    """Return the claim and the recipe where a number replaces the seeds that the model had."""
    if seed is None or not isinstance(recipe, EstimatorLearner) or not recipe.keep_seeds:
        return claim, recipe
    if isinstance(claim, Exact) and _kept(recipe):
        said = f"seed {seed} in the place of the model's own random_state"
        claim = replace(claim, sense="distribution", given=(*claim.given, said))
    return claim, replace(recipe, keep_seeds=False)


def _kept(recipe: Any) -> bool:
    return any(is_whole(value) for _, value in _states(recipe))


def _states(recipe: Any) -> list[tuple[str, Any]]:
    return random_states(recipe.estimator) if isinstance(recipe, EstimatorLearner) else []


def _frozen(recipe: Any) -> tuple[str, ...]:
    parts = frozen_parts(recipe.estimator) if isinstance(recipe, EstimatorLearner) else []
    return tuple(f"the frozen {name} as it is" for name in parts)


def _row_numbers(recipe: Any) -> str:
    """Return the name of a parameter that holds the rows of splits; "" if there is none."""
    if not isinstance(recipe, EstimatorLearner):
        return ""
    for name, value in recipe.estimator.get_params(deep=True).items():
        splits = name.rpartition("__")[2] == "cv" and isinstance(value, (list, tuple))
        if splits or isinstance(value, PredefinedSplit):
            return str(name)
    return ""


def _learned_here(model: Any) -> bool:
    """Say whether a model is of a kind that only a learner of unteach makes.

    A network that nobody trained here (`Network.of`, or trained by code of the user's) has an
    empty trace.
    """
    if hasattr(model, "get_params") or getattr(model, "learner_", None) is None:
        return False
    trace = getattr(model, "trace_", None)
    return type(model).__module__.startswith("unteach.") and (trace is None or trace.steps > 0)


def _serves(known: Origin, learner: Any, fit_params: Any, seed: int | None, verify: bool) -> bool:
    """Say whether what is known of a model answers what is asked."""
    if not known.tested:
        foreign = getattr(known.learner, "train", None) is not None
        return not foreign and _is_same(known.learner, learner, fit_params)
    same = known.asked[0] is learner and known.asked[1] is fit_params
    return verify and same and (seed in (None, known.seed) or isinstance(known.claim, Exact))


def _own(model: Any) -> Learner:
    """Return the recipe that the model itself carries, whatever was handed in with it before."""
    origin = origin_of(model)
    if origin is not None and origin.tested and isinstance(origin.learner, EstimatorLearner):
        return EstimatorLearner(model)
    return learner_of(model)


def _is_same(known: Any, learner: Any, fit_params: Any) -> bool:
    """Say whether a recipe that was handed in is the known one."""
    if fit_params is not None:
        return bool(getattr(known, "fit_params", None) is fit_params and learner is None)
    if learner is None or learner is known:
        return True
    learner = as_learner(learner)
    if type(learner) is not type(known) or getattr(known, "fit_params", None):
        return False
    text = repr(replace(known, keep_seeds=False) if hasattr(known, "keep_seeds") else known)
    return text == repr(learner) and "..." not in text


def _outputs(model: Any, x: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield what a model says about rows, by the name of the method that says it."""
    names = [name for name in _NUMBERS if callable(getattr(model, name, None))]
    if not names or not classifies(model):
        names += [n for n in ("predict", "transform") if callable(getattr(model, n, None))]
    if not names:
        raise TypeError("it has no predict, decision_function, score_samples or transform")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        for name in names:
            said = getattr(model, name)(x)
            if isinstance(said, (list, tuple)) and np.ndim(said[0]) == 2:
                said = np.hstack(said)  # the probabilities of several labels a record
            yield name, np.asarray(said.toarray() if hasattr(said, "toarray") else said)
    classes = getattr(model, "classes_", None)
    if isinstance(classes, np.ndarray):
        yield "classes_", classes


def _difference(what: str, one: NDArray[Any], other: NDArray[Any]) -> Difference:
    if one.shape != other.shape:
        return Difference(f"the shape of {what}", np.inf, 1.0)
    if one.dtype.kind not in "fc" or other.dtype.kind not in "fc":
        return Difference(what, float(not np.array_equal(one, other)), 1.0)
    if not one.size:
        return Difference(what, 0.0, 0.0)
    gap = np.where((one == other) | (np.isnan(one) & np.isnan(other)), 0.0, np.abs(one - other))
    by = float(np.inf if np.isnan(gap).any() else gap.max())
    finite = one[np.isfinite(one)]
    scale = float(np.abs(finite).max()) if finite.size else 0.0
    spread = float(np.ptp(finite)) if finite.size else 0.0
    return Difference(what, by, min(scale, spread) if spread > 0 else scale)


def _mixed(x: Any, n: int) -> Iterator[Any]:
    """Yield rows that no model has learned: each feature from a record of its own, or halfway."""
    rng, m = stream(0, "mixed"), min(n, _MIXED)
    if hasattr(x, "tocsr"):
        yield ((x[rng.integers(n, size=m)] + x[rng.integers(n, size=m)]) / 2).tocsr()
    elif hasattr(x, "iloc"):
        mixed = x.iloc[rng.integers(n, size=m)].reset_index(drop=True)
        yield mixed.assign(
            **{
                name: x[name].iloc[rng.integers(n, size=m)].to_numpy()
                for name in x.columns
                if isinstance(name, str)
            }
        )
    elif isinstance(x, np.ndarray) and x.ndim == 2:
        yield np.take_along_axis(x, rng.integers(n, size=(m, x.shape[1])), axis=0)
        if x.dtype.kind == "f":
            yield (x[rng.integers(n, size=m)] + x[rng.integers(n, size=m)]) / 2


def _at(x: Any, rows: NDArray[np.int64]) -> Any:
    if hasattr(x, "iloc"):
        return x.iloc[rows]
    return x[rows] if isinstance(x, np.ndarray) or hasattr(x, "tocsr") else [x[k] for k in rows]


def _named(model: Any) -> str:
    return type(model).__name__
