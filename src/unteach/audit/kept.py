"""What an audit keeps in a project: what each model said and what making it took, until a purge."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import (
    BadInput,
    Claim,
    Contents,
    Corrupt,
    Cost,
    Saved,
    Table,
    claim_from,
    claim_json,
    described,
    digest,
    pseudonym,
    read_whole,
)

if TYPE_CHECKING:
    from unteach.store import Store

NAME = "arms of an audit"
SUFFIX = ".said"
VERSION = 1
"""Raised when the same learner and seed would make other models."""
_KIND = "unteach.audit.kept:Said"


@dataclass(frozen=True, eq=False)
class Said:
    """What one model said, and what making it took.

    logits : (q, k) float32 · cost : measured · peak : bytes of memory beyond what was held
    before, None where the system does not say · state : bytes of the saved model, None if not
    measured · claim : of a forgetting · keeps : in words, what the model holds of its records
    """

    logits: NDArray[np.float32]
    cost: Cost
    peak: int | None = None
    state: int | None = None
    claim: Claim | None = None
    keeps: str = ""

    def to_bytes(self) -> bytes:
        """Return the file's bytes; a checksum of the logits is in them."""
        about = {
            "cost": vars(self.cost),
            "peak": self.peak,
            "state": self.state,
            "keeps": self.keeps,
            "claim": None if self.claim is None else claim_json(self.claim),
        }
        return Saved(_KIND, about, {"logits": self.logits}).to_bytes()

    @classmethod
    def from_bytes(cls, raw: bytes, where: str) -> Said:
        """Return what `to_bytes` wrote; anything else raises `Corrupt`.

        >>> said = Said(np.zeros((1, 2), np.float32), Cost(1.0), claim=None)
        >>> Said.from_bytes(said.to_bytes(), "it").cost.seconds
        1.0
        """
        saved = Saved.from_bytes(raw, where=where)
        try:
            about = saved.config
            claim = None if about["claim"] is None else claim_from(about["claim"])
            logits = Contents.of(saved).array("logits", "float32 (q, k)")
            return cls(
                logits,
                Cost(**about["cost"]),
                about["peak"],
                about["state"],
                claim,
                str(about["keeps"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(f"{where} holds no answers of a model: {error}") from error


def read_said(path: Path) -> Said | None:
    """Return what a file holds, None if there is none."""
    if not path.exists():
        return None
    try:
        return Said.from_bytes(read_whole(path), str(path))
    except Corrupt as error:
        raise Corrupt(f"{error}; delete the file, and the model is made anew") from None


@contextmanager
def kept_in(
    store: str | os.PathLike[str] | Store | None, asked: Any, learner: Any, seed: int
) -> Iterator[Path | None]:
    """Yield the folder in which the arms of exactly these models are kept, or None.

    The folder is that of a run of the project, so that a purge empties it; the run's plan names
    the records by a digest under the project's key, the learner too (its settings may hold ids),
    and nobody by an id. Another version of unteach, which may train otherwise, has other arms.
    """
    if store is None:
        yield None
        return
    about = described(learner)
    with _opened(store) as project:
        plan = {
            "version": [VERSION, version("unteach")],
            "seed": seed,
            "learner": [type(learner).__name__, pseudonym(about, project.key())],
            "records": pseudonym(_contents(asked), project.key()),
        }
        run = project.begin(plan, name=NAME, grow=True)
        try:
            try:
                run.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadInput(f"cannot write {run.folder}: {error.strerror or error}") from error
            yield run.folder
            counts: dict[str, int] = {}
            for path in sorted(run.folder.glob(f"*{SUFFIX}")):
                arm = path.name.rsplit("-", 1)[0]
                counts[arm] = counts.get(arm, 0) + 1
            run.finish(
                [],
                [
                    Table(
                        "arms",
                        {"arm": list(counts), "models": list(counts.values())},
                        keys=("arm",),
                    )
                ],
            )
        finally:
            run.close()


@contextmanager
def _opened(store: Any) -> Iterator[Store]:
    from unteach.store import Store

    if isinstance(store, Store):
        yield store
        return
    with Store.open(store) as project:
        yield project


def _contents(asked: Any) -> str:
    """Return the digest of all that the models learn from and are asked."""

    def said(value: Any) -> str:
        if hasattr(value, "tocsr"):
            parts = (value.tocsr().data, value.tocsr().indices, value.tocsr().indptr)
            return digest([list(value.shape), *(digest(part.tobytes()) for part in parts)])
        array = np.asarray(value)
        return digest(array.tobytes() if array.dtype.kind in "fiub" else array.tolist())

    return digest(
        {
            name: said(value)
            for name, value in (
                ("rows", asked.rows.x),
                ("labels", asked.rows.y),
                ("ids", asked.rows.ids),
                ("left", asked.rest.ids),
                ("left rows", asked.rest.x),
                ("left labels", asked.rest.y),
                ("asked", asked.x),
                ("asked ids", asked.ids),
                ("asked labels", asked.y),
            )
        }
    )


def file_of(folder: Path, arm: str, k: int) -> Path:
    """Return where model k of an arm is kept; a method is named by a digest of its settings."""
    plain = arm if re.fullmatch(r"[a-z]+", arm) else f"unlearned-{digest(arm)[:16]}"
    return folder / f"{plain}-{k}{SUFFIX}"
