"""Pages as files: one self-contained HTML file, and the same numbers as JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from unteach.core import BadInput, canonical, plain, write_whole

from .markup import tag
from .page import Page
from .page_html import body, document


def write_page(
    page: Page, path: str | os.PathLike[str], *, also_json: str | os.PathLike[str] | None = None
) -> Path:
    """Write a page as one HTML file that needs no network, and return where it lies.

    The same page gives the same bytes.

    Parameters
    ----------
    page : what to write
    path : the HTML file; its folder is made if it is missing
    also_json : a second file for `page_json`, or None

    Raises
    ------
    BadInput : a file that cannot be written; nothing half-written is left

    Examples
    --------
    >>> import tempfile
    >>> page = Page("Margin", "What falls?", (), (), "unteach study margin", "", {})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page(page, Path(folder, "page.html")).read_text()[:15]
    '<!doctype html>'
    """
    written = _write(path, document(page.title, tag("main", body(page), class_="page")))
    if also_json is not None:
        _write(also_json, (canonical(page_json(page)) + "\n").encode())
    return written


def page_json(page: Page) -> dict[str, Any]:
    """Return the page as plain values: the answer, every reading and every table.

    >>> page_json(Page("Margin", "What falls?", (), (), "", "", {}))["title"]
    'Margin'
    """
    return {
        "title": page.title,
        "question": page.question,
        "kicker": page.kicker,
        "answer": [
            {"text": page.say(f.text), "verdict": f.verdict, "readings": list(f.readings)}
            for f in page.answer
        ],
        "readings": [r.to_json() for r in page.readings],
        "tables": [t.to_json() for t in page.tables],
        "command": page.command,
        "python": page.python,
        "provenance": plain(dict(page.provenance)),
    }


def _write(path: str | os.PathLike[str], data: bytes) -> Path:
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot make the folder {target.parent}: {error.strerror}") from error
    return write_whole(target, data)
