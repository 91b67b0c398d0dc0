"""--arms: models that the user has, in folders by arm; nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput

from .audit_order import Order, Prepared

if TYPE_CHECKING:
    from unteach.audit import Arms, AuditReport


def read_folder(order: Order, prepared: Prepared) -> dict[str, Arms]:
    """Return the arms of each method: folders original, retrained, unlearned/METHOD, maybe twin.

    Files are saved models, or logits (.npy, .npz) on the rows of the data in their order.
    """
    from unteach.audit import Arms

    folder = Path(order.arms or "")
    under = folder / "unlearned"
    if not under.is_dir():
        raise BadInput(
            f"{folder} has no folder 'unlearned'; --arms takes original/, retrained/ and "
            "unlearned/METHOD/, with one file a model"
        )
    found = sorted(p.name for p in under.iterdir() if p.is_dir())
    chosen = order.names or found
    strange = [name for name in chosen if name not in found]
    if strange or not chosen:
        what = f"no folder {strange[0]!r}" if strange else "no folder"
        raise BadInput(f"{under} holds {what}; there are {', '.join(found) or 'none'}")
    twin = folder / "twin"
    how: dict[str, Any] = {
        "records": prepared.records,
        "forget": prepared.request,
        "twin": twin if twin.is_dir() else None,
    }
    return {
        name: Arms.load(folder / "original", folder / "retrained", unlearned=under / name, **how)
        for name in chosen
    }


def audit_folder(arms: dict[str, Arms], order: Order) -> AuditReport:
    """Return what an audit of these arms finds."""
    from unteach.audit import audit_arms

    first = next(iter(arms.values()))
    return audit_arms(
        first,
        {name: one.unlearned for name, one in arms.items()},
        margin=order.margin,
        seed=order.seed,
    )
