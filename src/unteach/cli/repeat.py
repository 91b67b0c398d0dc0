"""The lines that repeat a forgetting, in a terminal and in Python; they name nobody."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .options import PROJECT
from .sources import is_table

if TYPE_CHECKING:
    from .asked import Asked
    from .forgetting import Order
    from .sources import Source


def command_of(order: Order, asked: Asked) -> str:
    """Return the command; words in capitals stand for paths, as a file may be called after
    someone.
    """
    bundled = not is_table(order.data)
    words = ["unteach", "forget", "MODEL", "--data", order.data if bundled else "DATA"]
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
    words += ["--all-of-data"] * order.all_of_data
    words += ["--holdout", "HOLDOUT"] if order.holdout is not None else []
    words += ["--rest-is-holdout"] * order.rest_is_holdout
    words += ["--method", order.method] if order.method != "auto" else []
    if order.accept != ("exact", "certified"):
        words += ["--accept", ",".join(order.accept)]
    words += ["--no-audit"] * (not order.audits)
    words += ["--skip-missing"] * order.skip_missing
    words += ["--in-place"] if order.in_place else ["--out", "OUT"]
    words += ["--store", "STORE"] if order.store != PROJECT else []
    words += ["--allow-pickle"] * order.allow_pickle
    words += [w for kind in order.trusted for w in ("--trusted", kind)]
    words += ["--no-verify"] * (not order.verify)
    words += ["--seed", str(order.seed)] if order.seed is not None else []
    return shlex.join(_anonymous(word, asked) for word in words)


def python_of(order: Order, asked: Asked, source: Source) -> str:
    """Return the Python lines that do the same without the audit."""
    if source.bundled:
        reading = f"records = unteach.data.load({source.name!r})"
    else:
        given = [repr("DATA"), f"ids={order.ids_column!r}", f"target={order.target!r}"]
        given += [f"groups={source.group!r}"] if source.group is not None else []
        given += [f"features={list(source.features)!r}"]
        reading = f"records = unteach.data.read_table({', '.join(given)})"
    which = "groups" if asked.whole else "ids"
    trust = ", allow_pickle=True" if order.allow_pickle else ""
    unproved = ", verify=False" * (not order.verify)
    trust += f", trusted={list(order.trusted)!r}" if order.trusted else ""
    return "\n".join(
        [
            "import unteach",
            "",
            f"model = unteach.load('MODEL'{trust})",
            reading,
            f"gone = unteach.forget(model, records, {which}=VALUES, method={order.method!r},",
            f"                      accept={order.accept!r}, seed={order.seed}{unproved})",
            f"unteach.save(gone.model, 'OUT'{', allow_pickle=True' * order.allow_pickle})",
            "print(gone.claim, gone.cost)",
        ]
    )


def _anonymous(word: str, asked: Asked) -> str:
    """Return a word, or WORD where it holds a value that is to be forgotten."""
    held = any(len(v) >= 4 and v.casefold() in word.casefold() for v in asked.values)
    return "WORD" if held else word
