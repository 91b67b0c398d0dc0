"""What a model stands on: a method forgets from the records that a model has learned, no others."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from unteach.core import BadInput, Ids, Records, UnknownRecord
from unteach.models.issued import fingerprint as fingerprint


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
