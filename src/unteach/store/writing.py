"""How values and moments are written into the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core import BadInput, Corrupt, canonical, digest


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


def read_back(text: Any, where: Path) -> Any:
    """Return the value that `written` wrote; anything else is damage of the file it stood in."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise Corrupt(f"{where} is damaged ({error}); it is left as it is") from error


def checksum_of(key: str, text: str) -> str:
    """Return the checksum of the result of a task, and of the key that it is found by."""
    return digest(f"{key}\n{text}".encode())


def sound(key: Any, text: Any, checksum: Any) -> bool:
    """Say whether the stored result of a task is what was written."""
    return isinstance(text, str) and checksum_of(key, text) == checksum


def now() -> str:
    """Return the time, UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
