"""Errors as one sentence on stderr and an exit code; a real bug keeps its traceback."""

from __future__ import annotations

import os
import re
import sys
from types import TracebackType
from typing import Any

import typer

BAD_INPUT, REFUSED, DAMAGED, INTERRUPTED = 2, 3, 4, 130

# older versions of Typer stand on click itself, newer ones on a click of their own
_Usage: Any = next(k for k in typer.BadParameter.__mro__ if k.__name__ == "ClickException")


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with a sentence about what was kept and how to go on."""


class Plainly:
    """Turn what a user can do something about into one sentence and an exit code.

    >>> try:
    ...     with Plainly():
    ...         raise Stopped("stopped; the same command resumes")
    ... except typer.Exit as end:
    ...     end.exit_code
    130
    """

    def __enter__(self) -> Plainly:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, (typer.Exit, typer.Abort)):
            return
        said = _said(error)
        if said is None or os.environ.get("UNTEACH_DEBUG"):
            return
        code, sentence = said
        typer.secho("unteach: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(sentence, err=True)
        raise typer.Exit(code) from None


def _said(error: BaseException) -> tuple[int, str] | None:
    """Return the exit code and the sentence of an error, or None for a bug."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, str(error) or "stopped; nothing half-written is left"
    if isinstance(error, _Usage):
        return error.exit_code, _usage(error)
    if isinstance(error, ModuleNotFoundError) and "pip install" in str(error):
        return BAD_INPUT, one_line(error)
    if isinstance(error, BrokenPipeError):
        # whoever read us went away; stdout would complain once more when Python closes it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1, "the reader of the output went away"
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        return BAD_INPUT, f"cannot use{where}: {error.strerror or error}"
    from unteach import core

    if not isinstance(error, core.UnteachError):
        return None
    refused = (
        core.NoRoute,
        core.BudgetSpent,
        core.NeedsReference,
        core.NotConverged,
        core.UnknownRecord,
        core.EmptyRequest,
        core.NothingLeft,
        core.OneClassLeft,
        core.Untrusted,
    )
    if isinstance(error, refused):
        return REFUSED, one_line(error)
    if isinstance(error, core.Corrupt):
        return DAMAGED, one_line(error)
    return BAD_INPUT if isinstance(error, core.BadInput) else 1, one_line(error)


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "unteach"
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"{message[:1].lower()}{message[1:]} (see {path} --help)"


def one_line(error: object) -> str:
    r"""Return a message as one line: of a longer one, how it begins and how it ends.

    >>> one_line("2 tasks failed:\nTraceback ...\nValueError: no")
    '2 tasks failed: ValueError: no'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if len(lines) == 1 else f"{lines[0]} {lines[-1]}" if lines else "failed"
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "\ufffd", text)
