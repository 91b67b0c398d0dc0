"""Files of a project: read, written and removed by handles on its folders, never through a link."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..core import BadInput, Corrupt

PREFIX = "unteach-"  # of every temporary file of ours
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe does not make us wait for its writer


def there(path: Path, *, folder: bool = False, shared: bool = False) -> bool:
    """Say whether a project's file (or folder) is there; refuse what leads out of the project.

    shared : whether the file may have another name elsewhere, because it is only read
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise Corrupt(f"{str(path)!r} is no name of a file ({error})") from error
    if stat.S_ISLNK(found.st_mode):
        raise Corrupt(
            f"{path} is a link to {os.readlink(path)}; nothing of a project may be one, because "
            "a write or a purge would reach what it leads to: put that in its place, or give its "
            "own path"
        )
    if folder and not stat.S_ISDIR(found.st_mode):
        raise Corrupt(f"{path} is a file, not a project folder; it is left as it is")
    if not folder and not stat.S_ISREG(found.st_mode):
        raise Corrupt(f"{path} is not a file but a folder, a pipe or a device; it is left as it is")
    if not folder and not shared and found.st_nlink > 1:
        raise Corrupt(
            f"{path} has another name elsewhere (a hard link), where all that is written would be "
            "seen; put a copy in its place"
        )
    return True


@contextmanager
def within(folder: Path) -> Iterator[int]:
    """Yield a handle on a folder in a project; neither it nor the project is a link."""
    with ExitStack() as stack:
        handle = os.open(folder.parent, _FOLDER)
        stack.callback(os.close, handle)
        handle = os.open(folder.name, _FOLDER, dir_fd=handle)
        stack.callback(os.close, handle)
        yield handle


def read_file(path: Path) -> bytes:
    """Return the bytes of a file in a folder of a project; one that is no file is refused.

    Raises `FileNotFoundError` if nothing is there.
    """
    try:
        with within(path.parent) as folder:
            there(path, shared=True)
            handle = os.open(path.name, os.O_RDONLY | _FILE, dir_fd=folder)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise Corrupt(f"{path} is not a file; it is left as it is")
                return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error


def damage_of(path: Path, sound: Callable[[bytes], bool]) -> str:
    """Say what is wrong with a file, or nothing."""
    try:
        return "" if sound(read_file(path)) else "is damaged (its checksum is another)"
    except FileNotFoundError:
        return "is missing"
    except Corrupt:
        return "is not a file"


def write_file(path: Path, data: bytes) -> None:
    """Write a file in a folder of a project, whole or not at all, by way of `temporary/`."""
    fresh = f"{PREFIX}{secrets.token_hex(8)}"
    try:
        with within(path.parent.parent / "temporary") as temporary, within(path.parent) as folder:
            made = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            try:
                handle = os.open(fresh, made | _FILE, 0o600, dir_fd=temporary)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(handle)
                os.replace(fresh, path.name, src_dir_fd=temporary, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                _unlinked(fresh, temporary)
                raise
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from error


def remove(folder: Path, doomed: Callable[[str], bool]) -> tuple[int, int]:
    """Remove the doomed files, links and folders of a folder; return how many files and bytes.

    A link is removed and not followed, at any depth.
    """
    count, size = 0, 0
    try:
        with within(folder) as handle:
            for name in sorted(filter(doomed, os.listdir(handle))):
                found = os.stat(name, dir_fd=handle, follow_symlinks=False)
                sizes = [found.st_size]
                if stat.S_ISDIR(found.st_mode):
                    sizes = list(_sizes(name, handle))
                    shutil.rmtree(name, dir_fd=handle)
                else:
                    os.unlink(name, dir_fd=handle)
                count, size = count + len(sizes), size + sum(sizes)
    except FileNotFoundError:
        return count, size
    except OSError as error:
        raise BadInput(
            f"cannot remove what is in {folder}: {error.strerror or error}; the purge is not "
            "complete"
        ) from error
    return count, size


def _sizes(name: str, within: int) -> Iterator[int]:
    for _, folders, files, handle in os.fwalk(name, dir_fd=within):
        for one in (*folders, *files):
            found = os.stat(one, dir_fd=handle, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                yield found.st_size


def _unlinked(name: str, within: int) -> None:
    try:
        os.unlink(name, dir_fd=within)
    except FileNotFoundError:
        return
