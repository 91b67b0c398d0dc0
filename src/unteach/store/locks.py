"""Locks on files that the operating system releases when their holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ..core import BadInput
from .files import there

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
