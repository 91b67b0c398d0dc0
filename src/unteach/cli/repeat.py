"""The lines that repeat a forgetting, in a terminal and in Python; they name nobody."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asked import Asked
    from .forgetting import Order
    from .sources import Source


def command_of(order: Order, asked: Asked) -> str:
    """Return the command; the values stand in FILE, and a path that holds one is not written."""
    words = ["unteach", "forget", str(order.model), "--data", order.data]
    if order.ids_column is not None:
        words += ["--ids-column", order.ids_column]
    if order.target is not None:
        words += ["--target", order.target]
    if asked.whole and order.group is not None:
        words += ["--group", order.group, "--values-from", "FILE"]
    else:
        words += ["--ids", "FILE"]
        words += ["--group-column", order.group] if order.group is not None else []
    words += [w for column in order.leave_out for w in ("--leave-out", column)]
    words += ["--group-is-feature"] * order.group_is_feature
    words += ["--holdout", order.holdout] if order.holdout is not None else []
    words += ["--rest-is-holdout"] * order.rest_is_holdout
    words += ["--method", order.method] if order.method != "auto" else []
    if order.accept != ("exact", "certified"):
        words += ["--accept", ",".join(order.accept)]
    words += ["--no-audit"] * (not order.audits)
    words += ["--allow-pickle"] * order.allow_pickle
    words += [w for kind in order.trusted for w in ("--trusted", kind)]
    words += ["--seed", str(order.seed)]
    return shlex.join(_anonymous(word, asked) for word in words)


def python_of(order: Order, asked: Asked, source: Source) -> str:
    """Return the Python lines that do the same without the audit."""
    model, out = (_anonymous(str(path), asked) for path in (order.model, order.out))
    if source.bundled:
        reading = f"records = unteach.data.load({source.name!r})"
    else:
        given = [repr(_anonymous(source.name, asked)), f"ids={order.ids_column!r}",
                 f"target={order.target!r}"]  # fmt: skip
        given += [f"groups={source.group!r}"] if source.group is not None else []
        given += [f"features={list(source.features)!r}"]
        reading = f"records = unteach.data.read_table({', '.join(given)})"
    which = "groups" if asked.whole else "ids"
    trust = ", allow_pickle=True" if order.allow_pickle else ""
    trust += f", trusted={list(order.trusted)!r}" if order.trusted else ""
    return "\n".join(
        [
            "import unteach",
            "",
            f"model = unteach.load({model!r}{trust})",
            reading,
            f"gone = unteach.forget(model, records, {which}=VALUES, method={order.method!r},",
            f"                      accept={order.accept!r}, seed={order.seed})",
            f"unteach.save(gone.model, {out!r}{', allow_pickle=True' * order.allow_pickle})",
            "print(gone.claim, gone.cost)",
        ]
    )


def _anonymous(word: str, asked: Asked) -> str:
    """Return a word, or PATH where it holds a value: a file may be called after someone."""
    held = any(len(v) >= 4 and v.casefold() in word.casefold() for v in asked.values)
    return str(Path("PATH")) if held else word
