"""The folder of a project: who may have it, how it comes to be, and what is refused."""

from __future__ import annotations

from pathlib import Path

from ..core import BadInput, Corrupt
from .database import PREFIX, create
from .locks import Lock

FOLDERS = ("blobs", "shards", "reports", "temporary", "locks")


def exists(file: Path) -> bool:
    """Say whether a file is there, or that nobody may know."""
    try:
        return file.exists()
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror or error}") from error


def refuse_foreign(folder: Path) -> None:
    """Refuse a place that holds anything but what a killed creation leaves behind."""
    try:
        if folder.exists() and not folder.is_dir():
            raise Corrupt(f"{folder} is a file, not a project folder; it is left as it is")
        strange = [p for p in sorted(folder.rglob("*")) if not p.is_dir() and not _ours(p, folder)]
    except OSError as error:
        raise BadInput(f"cannot read {folder}: {error.strerror or error}") from error
    if strange:
        raise Corrupt(
            f"{folder} holds {strange[0].name} and no store.db: it is not a project, or its "
            "database is lost; give a new or an empty folder"
        )


def _ours(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    return (
        parts == (".gitignore",)
        or (parts[0] == "locks" and file.suffix == ".lock")
        or (parts[0] == "temporary" and file.name.startswith(PREFIX))
    )


def make_folders(folder: Path) -> None:
    """Make the folder and what is in it, readable by its owner alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FOLDERS:
            (folder / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot write {folder}: {error.strerror or error}") from error


def create_once(folder: Path, file: Path) -> None:
    """Create the database, once, however many processes want it at the same moment."""
    turn = Lock.take(folder / "locks" / "create.lock", patience=30.0)
    if turn is None:
        raise BadInput(f"another process has been creating {folder} for 30 seconds; stop it")
    try:
        if not file.exists():
            try:
                (folder / ".gitignore").write_text("*\n")
            except OSError as error:
                raise BadInput(f"cannot write {folder}: {error.strerror or error}") from error
            create(file, folder / "temporary")
    finally:
        turn.release()


def share(folder: Path) -> Lock:
    """Return our share of the folder; a purge waits until nobody has one."""
    lock = Lock.take(folder / "locks" / "folder.lock", shared=True, patience=30.0)
    if lock is None:
        raise BadInput(f"{folder} is being purged by another process; try again when it is done")
    return lock
