"""What a method or a learner is made of, in words: two that differ are never called the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from unteach.core import Cost, digest


def described(value: Any) -> str:
    """Return all settings of a value, records and arrays among them by the digest of their bytes.

    A repr abridges what is long, so that two methods with other records in them read alike. What
    was measured (`Cost`) and what a dataclass leaves out of its repr decides nothing, and is left
    out. Anything else is named by its repr, which for some objects is an address.

    Examples
    --------
    >>> from unteach.models import Logistic
    >>> described(Logistic(C=2.0))[:17]
    'Logistic(C=2.0, f'
    >>> one, other = np.zeros(3000), np.zeros(3000)
    >>> other[1500] = 1
    >>> repr(one) == repr(other), described(one) == described(other)
    (True, False)
    """
    if isinstance(value, np.ndarray):
        plain = value.dtype.kind in "fiub"
        held = digest(np.ascontiguousarray(value).tobytes() if plain else value.tolist())
        return f"array({value.dtype}, {value.shape}, {held})"
    if isinstance(value, type):
        return repr(value)
    kind = type(value).__qualname__
    if is_dataclass(value):
        parts = {f.name: getattr(value, f.name) for f in fields(value) if f.repr}
        return _call(kind, {k: v for k, v in parts.items() if not isinstance(v, Cost)})
    if isinstance(value, Mapping):
        return _call(kind, {repr(k): v for k, v in value.items()})
    if isinstance(value, (list, tuple)):
        return f"{kind}({', '.join(map(described, value))})"
    if hasattr(value, "get_params"):
        return _call(kind, value.get_params(deep=False))
    return repr(value)


def _call(kind: str, parts: Mapping[str, Any]) -> str:
    return f"{kind}({', '.join(f'{k}={described(v)}' for k, v in parts.items())})"
