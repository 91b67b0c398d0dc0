"""Loading what could run code: the refusal says which option allows it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unteach.core import Untrusted


def load_model(path: Path, *, trusted: Sequence[str], allow_pickle: bool) -> Any:
    """Return the model at a path; `Untrusted` names the options that would allow it."""
    from unteach.models import load

    try:
        return load(path, trusted=trusted, allow_pickle=allow_pickle)
    except Untrusted as error:
        said = str(error)
        words = shlex.join(_options(said))
        raise Untrusted(re.sub(r"load it with .*$", f"say so: {words}", said)) from None


def needed_to_load(path: Path) -> list[str]:
    """Return the options without which a file that was just written is refused."""
    from unteach.models import load

    try:
        load(path)
    except Untrusted as error:
        return _options(str(error))
    return []


def _options(refusal: str) -> list[str]:
    """Return the options that a refusal of `unteach.models.load` asks for.

    >>> _options("... load it with trusted=['a.B', 'c.D']")
    ['--trusted', 'a.B', '--trusted', 'c.D']
    >>> _options("... load it with allow_pickle=True (--allow-pickle)")
    ['--allow-pickle']
    """
    types = re.search(r"trusted=\[(.*)\]", refusal)
    if types is None:
        return ["--allow-pickle"]
    return [w for name in re.findall(r"'([^']+)'", types[1]) for w in ("--trusted", name)]
