"""Where things are printed: answers on stdout, what goes on meanwhile on stderr."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def answers() -> Console:
    """Return the console for answers: stdout."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False)


def meanwhile() -> Console:
    """Return the console for progress and notes: stderr."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    from unteach.core import plain

    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collect warnings as sentences, each once, and print them on stderr as notes."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        try:
            yield notes
        finally:
            for warning in caught:
                text = " ".join(str(warning.message).split())
                if text not in notes:
                    notes.append(text)
    for note in notes:
        screen = meanwhile()
        for line in _wrapped(f"note: {note}", screen.width, 6):
            screen.print(line, style="yellow", markup=False, soft_wrap=True)


def print_labelled(screen: Console, label: str, text: str, width: int) -> None:
    """Print a label and a text beside it that goes on beneath itself; no word is broken."""
    from rich.text import Text

    lead = f"  {label:<{width}}"
    first, *more = _wrapped(lead + text, screen.width, len(lead))
    screen.print(Text.assemble((lead, "dim"), first[len(lead) :]), soft_wrap=True)
    for line in more:
        screen.print(Text(line), soft_wrap=True)


def folded(command: str, indent: int, width: int) -> str:
    r"""Return a command over several lines, to be copied as it stands; no argument is broken.

    >>> print(folded("unteach forget a.unteach --group 'who --is it' --dry-run", 2, 34))
    unteach forget a.unteach \
        --group 'who --is it' \
        --dry-run
    """
    parts: list[str] = []
    for word in map(shlex.quote, shlex.split(command)):
        if parts and (word == "-" or not word.startswith("-")):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    lines = [parts[0]]
    for part in parts[1:]:
        if indent + len(lines[-1]) + 1 + len(part) + 2 <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(" " * 2 + part)
    return f" \\\n{' ' * indent}".join(lines)


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def table(*names: str, right: tuple[str, ...] = ()) -> Any:
    """Return a plain table for the terminal."""
    from rich import box
    from rich.table import Table

    grid = Table(
        box=box.SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
        show_edge=False,
        padding=(0, 1),
    )
    for name in names:
        grid.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return grid


def seconds(value: float) -> str:
    """Return a duration as it is said.

    >>> seconds(0.0004), seconds(0.25), seconds(31.4), seconds(200)
    ('under 1 ms', '0.25 s', '31 s', '3 min 20 s')
    """
    if value < 0.001:
        return "under 1 ms"
    if value < 10:
        return f"{value:.2g} s"
    if value < 90:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


def counted(n: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1, "row"), counted(2, "row"), counted(2, "person", "people")
    ('1 row', '2 rows', '2 people')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def must_be_writable(folder: Path) -> None:
    """Make a folder, or say now that it cannot be written rather than after the work."""
    from unteach.core import BadInput

    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".unteach-", dir=folder)
    except OSError as error:
        raise BadInput(
            f"cannot write into {folder}: {error.strerror or error}; give another place"
        ) from error
    os.close(handle)
    os.unlink(name)
