"""Reweighting: the third operation beside forgetting and inserting, and the one they all are.

A row's weight says how far its dual variable may go. Weight 0 is as forgotten, but held.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from unteach.core import BadInput, OneClassLeft, as_ids, locate

from .._estimator import validation as checked


class Reweights:
    """Adds `reweight` to a kernel machine."""

    def reweight(self, ids: Any, sample_weight: Any) -> Self:
        """Give these rows other weights, exactly: as if fitted with them; returns self.

        ids : rows held, each once; sample_weight : a number, or one for each of the ids, at
        least 0. Weight w counts as w rows, and 0 is as removed while the row is still held:
        only `forget` lets go of it. Numbers computed from data stay or follow as `statistics`
        says. After an error nothing has changed.

        Raises `UnknownRecord`, `BadInput`, and `OneClassLeft` where a classifier would be left
        with rows of one class.

        >>> from unteach.kernel import SVC
        >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
        >>> model = SVC(kernel="linear", C=10.0).fit(X, y)
        >>> model.reweight([1], 0.0).support_ids_, model.decision_function([[1.0]])
        (array([0, 2]), array([0.]))
        """
        model: Any = self
        model._positions([])  # one that only serves cannot be given other weights
        at = locate(model.sample_ids_, as_ids(ids), where="the model")
        if len(at) == 0:
            return self
        given = np.asarray(sample_weight)
        if given.shape not in ((), (len(at),)):
            raise BadInput(f"sample_weight is of shape {given.shape} for {len(at)} ids")
        if given.dtype.kind not in "iuf":
            raise BadInput(f"sample_weight must hold numbers, got {given.dtype}")
        if not (given >= 0).all():
            raise BadInput("sample_weight must be finite and at least 0")
        weights = model._weights.copy()
        weights[at] = given
        with model._untouched_by_errors():
            weights = checked.weights(weights, len(weights))
            classifier = hasattr(model, "classes_")
            classes = np.unique(model._labels[weights > 0]) if classifier else model._labels
            if classifier and len(classes) < 2:
                raise OneClassLeft(
                    f"these weights leave the classes {classes.tolist()}; a classifier needs two"
                )
            adopt = _classifier if hasattr(model, "_machine") else _other
            adopt(model, weights)
        return self


def _classifier(model: Any, weights: Any) -> None:
    """Take on the machine of C-SVC with these weights."""
    old, params, n = model._machine, model._params, len(weights)
    classes, codes = checked.classes_and_codes(model._labels, weights > 0)
    fixed = model._constants_after(old.x, classes, codes, weights)
    resident = fixed.kernel == model._constants.kernel and not old.leanly
    gram = old.gram if resident else None
    made = model._machine_of(params, fixed, old.x, codes, weights, gram)
    start = old.starts(np.arange(n), n, checked.codes_among(classes, model.classes_))
    told = model._constants.from_data if model._frozen else ()
    model._adopt(
        params,
        fixed,
        made.learned(start),
        model._labels,
        weights,
        model.sample_ids_,
        classes,
        given=told,
    )


def _other(model: Any, weights: Any) -> None:
    """Take on one of the other machines with these weights."""
    old, params, n = model._parts, model._params, len(weights)
    fixed = model._constants_after(old.x, weights)
    gram = old.gram if fixed.kernel == model._constants.kernel else None
    made = model._parts_of(params, fixed, old.x, model._labels, weights, gram)
    start = old.starts(np.arange(n), n, model._renumbered(model._labels, weights))
    told = model._constants.from_data if model._frozen else ()
    model._adopt(
        params, fixed, made.learned(start), model._labels, weights, model.sample_ids_, given=told
    )
