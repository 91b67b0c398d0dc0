"""One way to write a value down: canonical JSON, digests, and names that identify nobody."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from typing import Any

import numpy as np

from .errors import BadInput


def plain(value: Any) -> Any:
    """Return a value as JSON types; infinities and NaN become strings, arrays become lists.

    >>> plain({"a": np.float64(0.5), "b": (1, float("inf"))})
    {'a': 0.5, 'b': [1, 'inf']}
    """
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    raise BadInput(f"cannot write {type(value).__name__} as JSON")


def canonical(value: Any) -> str:
    """Return the canonical JSON of a value: sorted keys, shortest floats that read back equal.

    >>> canonical({"b": 0.1, "a": [1, 2]})
    '{"a":[1,2],"b":0.1}'
    """
    return json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON (of the bytes themselves for bytes).

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    raw = bytes(value) if isinstance(value, (bytes, bytearray)) else canonical(value).encode()
    return hashlib.sha256(raw).hexdigest()


def pseudonym(value: Any, key: bytes) -> str:
    """Return the name that stands for a person in reports and logs: a keyed digest.

    Without the key it can be neither computed nor guessed from a list of likely values; when
    the key is deleted, nobody can link it any more.

    >>> pseudonym("ada@example.org", b"k") == pseudonym("ada@example.org", b"other")
    False
    """
    return "person-" + hmac.new(key, canonical(value).encode(), hashlib.sha256).hexdigest()[:16]
