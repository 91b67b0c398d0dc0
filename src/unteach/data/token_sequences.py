"""Sequences of tokens as records: which tokens are to be predicted, and what part each plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Rows

PAD = -1
"""Stands where a sequence has ended, and in y where a token is not to be predicted."""


def sequences(
    tokens: Any,
    *,
    prompts: Any = None,
    scored: Any = None,
    roles: Any = None,
    ids: Any = None,
    groups: Any = None,
) -> Rows:
    """Return sequences as records.

    Parameters
    ----------
    tokens : n sequences of whole numbers of at least 0, or an array (n, t), ends padded with -1
    prompts : (n,) or one number: so many first tokens are given, the others are to be predicted
    scored : in place of prompts, for each token whether it is to be predicted, shaped as tokens
    roles : for each token a whole number that says what part it plays (a copy, a product, a
        sum), shaped as tokens; optional
    ids, groups : (n,) as for all records; ids are 0 to n - 1 if none are given

    The columns are `x` (n, t) the tokens, `y` (n, t) the tokens to be predicted and -1 elsewhere,
    and `roles` (n, t); t is the longest length.

    Examples
    --------
    >>> rows = sequences([[5, 1, 2, 3], [6, 1, 1]], prompts=[3, 2])
    >>> rows.x.tolist(), rows.y.tolist()
    ([[5, 1, 2, 3], [6, 1, 1, -1]], [[-1, -1, -1, 3], [-1, -1, 1, -1]])
    """
    x = _square(tokens)
    if x.size and x.min() < PAD:
        raise BadInput(f"tokens are whole numbers of at least 0, got {int(x.min())}")
    if (prompts is None) == (scored is None):
        raise BadInput("give prompts= (how many first tokens are given) or scored=, one of them")
    if scored is None:
        wanted = np.arange(x.shape[1])[None, :] >= np.asarray(prompts).reshape(-1, 1)
    else:
        wanted = _square(scored) > 0
    if wanted.shape not in (x.shape, (1, x.shape[1])):
        raise BadInput(f"scored has shape {wanted.shape}, tokens {x.shape}; they must be alike")
    wanted = wanted & (x != PAD)
    if len(x) and (not wanted.any(axis=1).all() or wanted[:, 0].any()):
        raise BadInput("every sequence needs a token to be predicted, and none may be its first")
    columns = {"x": x, "y": np.where(wanted, x, PAD)}
    if roles is not None:
        columns["roles"] = _square(roles)
        if columns["roles"].shape != x.shape:
            raise BadInput(f"roles have shape {columns['roles'].shape}, tokens {x.shape}")
    return Rows(np.arange(len(x)) if ids is None else ids, columns, groups)


def together(parts: Sequence[Rows], *, groups: Any = None) -> Rows:
    """Return the sequences of several sets of records under new ids 0 to n - 1, as one.

    >>> one, two = sequences([[1, 2]], prompts=1), sequences([[3, 4, 5]], prompts=1)
    >>> together([one, two]).x.tolist()
    [[1, 2, -1], [3, 4, 5]]
    """
    if not parts:
        raise BadInput("no records to put together")
    names = list(parts[0].columns)
    if any(list(part.columns) != names for part in parts):
        raise BadInput("the records that are put together have different columns")
    n = sum(map(len, parts))
    columns: dict[str, Any] = {}
    for name in names:
        values = [np.asarray(part.column(name)) for part in parts]
        if values[0].ndim != 2 or len({v.shape[1] for v in values}) == 1:
            columns[name] = np.concatenate(values)
            continue
        whole = np.full((n, max(v.shape[1] for v in values)), PAD, dtype=values[0].dtype)
        at = 0
        for value in values:
            whole[at : at + len(value), : value.shape[1]] = value
            at += len(value)
        columns[name] = whole
    return Rows(np.arange(n), columns, groups)


def _square(values: Any) -> NDArray[np.int64]:
    """Return sequences of whole numbers as one array, ends padded with -1."""
    if isinstance(values, np.ndarray) and values.ndim == 2:
        if values.dtype.kind not in "iub":
            raise BadInput(f"tokens are whole numbers, got {values.dtype}")
        return values.astype(np.int64)
    listed = [np.asarray(value) for value in values]
    if any(v.ndim != 1 or (len(v) and v.dtype.kind not in "iub") for v in listed):
        raise BadInput("each sequence is one-dimensional, of whole numbers")
    whole = np.full((len(listed), max(map(len, listed), default=0)), PAD, dtype=np.int64)
    for k, value in enumerate(listed):
        whole[k, : len(value)] = value
    return whole
