"""The folder of a project: who may have it, how it comes to be, and what is refused.

Nothing in a project leads out of it: its folders are folders and its files are files with this
one name alone. What is a link, a pipe or a second name of a file elsewhere is refused before
anything is read, written or purged.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from unteach.core import BadInput, Corrupt

from .database import create
from .files import PREFIX, there

# Locks on files that the operating system releases when their holder dies, however it dies.

if sys.platform == "win32":
    raise ImportError("unteach.store locks with flock, which Windows lacks; run it under WSL")

import fcntl


class Lock:
    """A lock on a file, held by one process, or shared by several.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mine = Lock.take(Path(folder) / "run.lock")
    ...     theirs = Lock.take(Path(folder) / "run.lock")
    ...     mine.release()
    >>> mine is not None, theirs is None
    (True, True)
    """

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    @classmethod
    def take(
        cls, path: Path, *, shared: bool = False, write: bool = True, patience: float = 0.0
    ) -> Lock | None:
        """Return the lock, or None if another holds it for longer than `patience` seconds.

        write : whether the file is made where there is none; if not, no file is no lock
        """
        flags = (os.O_RDWR | os.O_CREAT) if write else os.O_RDONLY
        try:
            there(path, shared=not write)
            handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if not write:
                return cls(None)
            raise BadInput(f"cannot write {path}: {error.strerror or error}") from error
        deadline = time.monotonic() + patience
        while not _flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                os.close(handle)
                return None
            time.sleep(0.02)
        if not shared:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return cls(handle)

    def widen(self) -> bool:
        """Turn a shared lock into an exclusive one; False, and still shared, if others share it."""
        if self._handle is None:
            raise BadInput("this lock was released")
        if _flock(self._handle, fcntl.LOCK_EX):
            return True
        fcntl.flock(self._handle, fcntl.LOCK_SH)  # the attempt may have cost us our share: wait
        return False

    def narrow(self) -> None:
        """Turn an exclusive lock into a shared one."""
        if self._handle is not None:
            _flock(self._handle, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give the lock back; more than once does no harm."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def held(path: Path) -> bool:
    """Say whether anyone holds this lock exclusively."""
    probe = Lock.take(path, shared=True, write=False)
    if probe is None:
        return True
    probe.release()
    return False


def holder(path: Path) -> str:
    """Return who wrote himself into an exclusive lock, as words for an error."""
    try:
        words = path.read_text().split()
    except OSError:
        words = []
    return f"process {words[0]}" if words else "another process"


def _flock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


FOLDERS = ("blobs", "shards", "reports", "temporary", "locks")
BESIDE = ("store.db-wal", "store.db-shm", "store.db-journal")  # SQLite's own


def has_project(folder: Path, *, write: bool) -> bool:
    """Say whether a project's database is there; refuse a folder or file that leads elsewhere."""
    if not there(folder, folder=True):
        return False
    for name in FOLDERS:
        there(folder / name, folder=True)
    for name in BESIDE:
        there(folder / name, shared=not write)
    return there(folder / "store.db", shared=not write)


def plain_tree(folder: Path) -> None:
    """Refuse a folder of a run that is a link, or in which anything is no file and no folder."""
    if not there(folder, folder=True):
        return
    for where, folders, files in os.walk(folder):
        for name in folders:
            there(Path(where, name), folder=True)
        for name in files:
            there(Path(where, name), shared=True)


def writable(folder: Path) -> bool:
    """Say whether a project can be written by us."""
    return all(os.access(folder / name, os.W_OK) for name in ("", "store.db", "locks"))


def refuse_foreign(folder: Path) -> None:
    """Refuse a place that holds anything but what a killed creation leaves behind."""
    try:
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
            _ignore(folder / ".gitignore")
            create(file, folder / "temporary")
    finally:
        turn.release()


def _ignore(path: Path) -> None:
    """Keep the project out of git, unless a file (or a link to one) of that name is there."""
    try:
        with path.open("x") as file:
            file.write("*\n")
    except FileExistsError:
        return
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from error


def share(folder: Path, *, write: bool = True) -> Lock:
    """Return our share of the folder; a purge waits until nobody has one."""
    path = folder / "locks" / "folder.lock"
    lock = Lock.take(path, shared=True, write=write, patience=30.0)
    if lock is None:
        raise BadInput(f"{folder} is being purged by another process; try again when it is done")
    return lock
