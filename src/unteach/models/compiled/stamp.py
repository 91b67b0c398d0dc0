"""A number that changes when any file of this room does.

numba's cache looks at the file of the function that it holds and not at those it calls. The
functions that are cached carry this number, which is part of their key, so that an edit of a
file below them cannot leave old code running.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def _stamp() -> int:
    seen = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        seen.update(path.name.encode() + path.read_bytes())
    return int.from_bytes(seen.digest()[:6], "little")


STAMP = _stamp()
