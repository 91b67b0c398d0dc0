"""The command line: one file a command, and every error one sentence with an exit code.

2 is bad input, 3 is refused or nothing found, 4 is a damaged file, 130 is interrupted.
"""

from __future__ import annotations

from .app import app, main

__all__ = ["app", "main"]
