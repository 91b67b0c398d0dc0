"""Interclass confusion: are two classes, whose labels were swapped, still mixed up?"""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import BadInput, NeedsReference


def interclass_confusion(predicted: Any, y: Any, a: Any, b: Any) -> float:
    """Return the share of the records of two classes that are taken for the other class.

    (C[a, b] + C[b, a]) / number of records of a and b. The test: labels of a and b are swapped
    in the forget set, the model learns, and forgetting should undo the confusion. The swap is a
    mark that retraining visibly lacks, which makes it a good positive control.

    Null: the confusion of retrained models on the same records. Limit: 1. Failure mode: a model
    that answers neither class scores 0; show the accuracy beside it.

    Parameters
    ----------
    predicted : (n,) labels · y : (n,) the true labels, before any swap
    a, b : two different labels

    Errors      NeedsReference without a record of the two classes

    Source      Goel et al. 2022 (arXiv 2201.06640)

    Examples
    --------
    >>> interclass_confusion([1, 0, 1, 2], [0, 0, 1, 1], 0, 1)
    0.25
    """
    said, true = np.asarray(predicted), np.asarray(y)
    if said.shape != true.shape or said.ndim != 1 or a == b:
        raise BadInput(f"need predictions and labels (n,) and two different classes, got {a}, {b}")
    either = (true == a) | (true == b)
    if not either.any():
        raise NeedsReference(f"interclass confusion: no record is of the class {a!r} or {b!r}")
    mixed = ((true == a) & (said == b)) | ((true == b) & (said == a))
    return float(mixed.sum() / either.sum())
