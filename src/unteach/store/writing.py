"""How values and moments are written into the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..core import BadInput, canonical


def written(value: Any) -> str:
    """Return a value as canonical JSON that can be stored as text.

    >>> written({"b": 0.1, "a": float("inf")})
    '{"a":"inf","b":0.1}'
    """
    text = canonical(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"a text cannot be written as UTF-8: {error.reason}") from error
    return text


def now() -> str:
    """Return the time, UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
