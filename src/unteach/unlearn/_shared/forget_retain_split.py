"""The two sides of a request: what is to be forgotten, and what is kept."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from unteach.core import (
    BadInput,
    Ids,
    NoRoute,
    NothingLeft,
    Records,
    Request,
    Rows,
    Stream,
    Trainable,
    UnknownRecord,
    as_ids,
    derive,
    stream,
)
from unteach.models import TrainedNetwork
from unteach.models import fingerprint as fingerprint

# What a model stands on: a method forgets from the records that a model has learned, no others.


def check_standing(model: Any, records: Records, targets: Ids) -> None:
    """Refuse records that are not those the model stands on.

    Checked where the model says what it has learned: by its `sample_ids_`, by the digest of its
    ids, and, for the records to be forgotten, by the inputs that it holds of them. Handing in
    records that were forgotten before would bring them back at the next retraining; handing in
    others would forget the wrong ones. Of a scikit-learn estimator its features, their names and
    order, its classes and the number of its rows are compared, as far as it holds them.
    """
    _check_shape(model, records)
    known = getattr(model, "sample_ids_", None)
    digest = getattr(model, "ids_digest_", None)
    if known is not None:
        gone = np.setdiff1d(records.ids, known) if _alike(known, records.ids) else records.ids
        if len(gone):
            raise UnknownRecord(
                f"the records hold {len(gone)} ids that the model has not learned, or has "
                f"forgotten, such as {gone[0].item()!r}; hand in the records that it stands on"
            )
        if len(records) != len(known):
            raise BadInput(
                f"the model stands on {len(known)} records and {len(records)} were handed in; "
                "hand in all that it has learned and not forgotten"
            )
    elif digest is not None and digest != fingerprint(records.ids):
        raise UnknownRecord(
            "the records are not those that the model stands on: some were forgotten already, or "
            "never learned; hand in what is left after each request"
        )
    held = model.inputs_of(targets) if known is not None and hasattr(model, "inputs_of") else None
    if held is None or not len(targets):
        return
    given = records.select(targets).x
    given = np.asarray(given) if hasattr(given, "iloc") else given
    if isinstance(held, np.ndarray) and isinstance(given, np.ndarray):
        same = held.shape == given.shape and np.array_equal(held, given.astype(held.dtype))
        if not same:
            raise BadInput(
                "the model has learned other contents under these ids; were its rows numbered "
                "otherwise? Learn with sample_ids=records.ids, or by unteach.learn"
            )


def _check_shape(model: Any, records: Records) -> None:
    if not hasattr(model, "get_params"):
        return
    name, x = type(model).__name__, getattr(records, "x", None)
    if x is None:
        return
    width: Any = getattr(model, "n_features_in_", None)
    given: tuple[int, ...] = getattr(x, "shape", ())
    if isinstance(width, (int, np.integer)) and len(given) == 2 and given[1] != width:
        raise BadInput(
            f"this {name} was fitted to {width} features, and the records have {given[1]}; hand in "
            "the records that it was fitted to"
        )
    names = getattr(model, "feature_names_in_", None)
    if names is not None and hasattr(x, "columns") and list(names) != list(x.columns):
        at = next(k for k, (a, b) in enumerate(zip(names, x.columns, strict=True)) if a != b)
        same = set(names) == set(x.columns)
        raise BadInput(
            f"this {name} was fitted to {'the same columns in another order' * same}"
            f"{'other columns' * (not same)}: column {at} was {names[at]!r}, and the records have "
            f"{x.columns[at]!r} there; hand in the records as they were"
        )
    if getattr(model, "sample_ids_", None) is not None:
        return
    classes = getattr(model, "classes_", None)
    if is_classifier(model) and isinstance(classes, np.ndarray) and np.ndim(records.y) == 1:
        labels = np.unique(np.asarray(records.y))
        if not np.array_equal(np.asarray(sorted(classes.tolist())), labels):
            raise BadInput(
                f"this {name} knows the classes {_few(classes)}, and the records hold "
                f"{_few(labels)}; hand in the records that it was fitted to"
            )
    rows, n = rows_of(model), len(records)
    if rows is not None and rows != n and (rows > n or not hasattr(model, "tree_")):
        raise BadInput(
            f"this {name} was fitted to {rows} rows, and {n} were handed in; hand in all "
            "that it was fitted to"
        )


def rows_of(model: Any) -> int | None:
    """Return the number of rows that a scikit-learn estimator was fitted to, if it holds that.

    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> rows_of(KNeighborsClassifier(1).fit([[0.0], [1.0]], [0, 1]))
    2
    """
    inner = getattr(model, "best_estimator_", None)
    inner = getattr(model, "regressor_", None) if inner is None else inner
    if inner is None and hasattr(model, "steps"):
        inner = next((s for _, s in reversed(model.steps) if hasattr(s, "get_params")), None)
    if inner is not None:
        return rows_of(inner)
    for name in ("n_samples_fit_", "n_samples_"):
        if isinstance(getattr(model, name, None), (int, np.integer)):
            return int(getattr(model, name))
    shape = getattr(model, "shape_fit_", None)
    if shape is not None and getattr(model, "kernel", None) != "precomputed":
        return int(shape[0])
    for name in ("_fit_X", "X_fit_", "X_train_", "labels_"):
        held = getattr(model, name, None)
        if held is not None and np.ndim(held) and hasattr(held, "shape"):
            return int(held.shape[0])
    tree = getattr(model, "tree_", None)
    return None if tree is None else int(tree.n_node_samples[0])


def _few(labels: Any) -> str:
    said = ", ".join(repr(v) for v in labels.tolist()[:6])
    return f"{said}, ..." if len(labels) > 6 else said


def _alike(one: Ids, other: Ids) -> bool:
    return one.dtype.kind == other.dtype.kind


DRAWN = 256  # records of a group that has no end, drawn to stand for it


@dataclass(frozen=True)
class Sides:
    """The records to forget and those to keep: two sets, or of a stream a set and a stream."""

    forget: Rows
    retain: Records | Stream | None

    @property
    def read(self) -> int:
        """How many stored records a method that uses both sides reads."""
        kept = 0 if self.retain is None or isinstance(self.retain, Stream) else len(self.retain)
        return len(self.forget) + kept

    def for_curvature(self, most: int, seed: int) -> tuple[Any, int]:
        """Return at most so many retained records at random, and of how many; a stream has most."""
        kept: Any = self.retain
        if isinstance(kept, Stream):
            kept = kept.draw(most, seed=derive(seed, "curvature"))
        if len(kept) <= most:
            return kept, len(kept)
        rows = stream(seed, "curvature").choice(len(kept), size=most, replace=False)
        return kept.take(rows), len(kept)


def forgettable(name: str, model: Any, records: Any, request: Request) -> bool:
    """Refuse what no gradient method can do; say whether there is anything to forget."""
    if not isinstance(model, (Trainable, TrainedNetwork)):
        raise NoRoute(
            f"{name} takes gradient steps, and {type(model).__name__} is not trained by them: it "
            "needs a model that obeys core.Trainable, such as those of unteach.models.Network, or "
            "one of MLP or CNN"
        )
    moving = [] if isinstance(model, TrainedNetwork) else list(model.parameters())
    if not isinstance(model, TrainedNetwork) and not moving:
        raise NoRoute(f"{name} moves parameters, and all of this model's are frozen; retrain")
    if any(p.is_complex() for p in moving if hasattr(p, "is_complex")):
        raise NoRoute(f"{name} steps along real numbers, and parameters are complex; retrain")
    if isinstance(records, Stream):
        if request.ids or not request.groups:
            raise BadInput("records of a stream have no lasting ids; name groups=")
        return True
    targets = request.targets(records)
    check_standing(model, records, targets)
    if len(targets) and len(targets) == len(records) and request.replace is None:
        raise NothingLeft(f"forgetting all {len(records)} records leaves nothing to have learned")
    return len(targets) > 0


def sides_of(records: Any, request: Request, retain_free: bool, seed: int) -> Sides:
    """Return what is to be forgotten and what is kept; a retain-free method is given no other."""
    if isinstance(records, Stream):
        groups = list(request.groups)
        kept = records.without(groups)
        parts = [_all_of(records, group, seed) for group in groups]
        if len(parts) > 1:
            from unteach.data import together

            parts = [together(parts)]
        return Sides(parts[0], None if retain_free else kept)
    targets = request.targets(records)
    forget = records.select(targets)
    return Sides(forget, None if retain_free else request.applied_to(records))


def copy_to_change(name: str, model: Any, forget: Rows) -> Any:
    """Return a copy of the model whose own parameters decide what it says, or refuse."""
    after = copy.deepcopy(model)
    check_moves(name, after, forget, list(model.parameters()))
    return after


def check_moves(name: str, model: Any, forget: Rows, others: Sequence[Any] = ()) -> None:
    """Refuse a model whose outputs no parameter moves, or the parameters of another model do.

    So it is where a forward is a function that holds the module it was written for, of which a
    copy calls the original; steps would go nowhere, and the method would claim to have forgotten.
    """
    import torch

    from unteach.models import differentiating, seeded

    some = model.batches(forget.take(np.arange(min(2, len(forget)))), stream(0, "moves"))
    moving = list(model.parameters())
    device = getattr(getattr(model, "how", None), "device", "cpu")
    with differentiating(model), seeded(0, device):
        loss = model.losses(next(iter(some))).sum()
        every = [*moving, *others]
        found = torch.autograd.grad(loss, every, allow_unused=True) if loss.requires_grad else ()
    if all(g is None for g in found[: len(moving)]) or any(
        g is not None for g in found[len(moving) :]
    ):
        raise NoRoute(
            f"{name} would move parameters that do not decide what the model says: they have no "
            "part in it, or forward is bound to another module; retrain instead"
        )


def _all_of(tasks: Any, group: Any, seed: int) -> Any:
    """Return all records of a group where it is finite, else some that stand for it."""
    if group in getattr(tasks, "every", ()):
        return tasks.enumerate(group)
    return tasks.draw(DRAWN, seed=derive(seed, "forget", group), group=group)


def settle(after: Any, trace: Any, records: Any, request: Request) -> None:
    """Note on the new model what it stands on now, and how it came about."""
    if not isinstance(after, TrainedNetwork):
        from unteach.models import check_finite

        check_finite(after, "the last step left")
    if getattr(after, "ids_digest_", None) is not None and not isinstance(records, Stream):
        left = records.ids
        if request.replace is None:
            left = left[~np.isin(left, as_ids(request.targets(records)))]
        after.ids_digest_ = fingerprint(left)
    if hasattr(after, "trace_"):
        after.trace_ = trace


def pairs(
    model: Trainable, sides: Sides, rng: np.random.Generator, forget: Any = None
) -> Iterator[tuple[Any, Any]]:
    """Yield (retained batch, forgotten batch): the retained lead, the forgotten go round."""
    lead, follow = rng.spawn(2)
    gone = sides.forget if forget is None else forget
    kept: Any = sides.retain
    # cycle reads no further than it must: of a stream, one batch of each a round
    yield from zip(model.batches(kept, lead), cycle(model.batches(gone, follow)), strict=False)


def mean(model: Any, batch: Any) -> Any:
    """Return the mean loss of a batch, weighted where the batch says so."""
    weighted = getattr(model, "mean_loss", None)
    return model.losses(batch).mean() if weighted is None else weighted(batch)
