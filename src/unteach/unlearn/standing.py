"""What a model stands on: a method forgets from the records that a model has learned, no others."""

from __future__ import annotations

from typing import Any

import numpy as np

from unteach.core import BadInput, Ids, Records, UnknownRecord
from unteach.models.issued import fingerprint as fingerprint


def check_standing(model: Any, records: Records, targets: Ids) -> None:
    """Refuse records that are not those the model stands on.

    Checked where the model says what it has learned: by its `sample_ids_`, by the digest of its
    ids, and, for the records to be forgotten, by the inputs that it holds of them. Handing in
    records that were forgotten before would bring them back at the next retraining; handing in
    others would forget the wrong ones.
    """
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


def _alike(one: Ids, other: Ids) -> bool:
    return one.dtype.kind == other.dtype.kind
