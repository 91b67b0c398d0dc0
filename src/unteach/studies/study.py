"""What a study is: a plan (a value), a run that can be killed and resumed, and a page."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from unteach.core import BadInput, Progress
from unteach.report import Block, Page
from unteach.store import Run


@runtime_checkable
class Study(Protocol):
    """One of the questions, with all that is needed to answer it by measurement."""

    @property
    def name(self) -> str:
        """What the study is called on the command line."""

    @property
    def question(self) -> str:
        """The question that it answers, in one or two sentences."""

    def plan(self, *, full: bool = False, seed: int = 0) -> dict[str, Any]:
        """Return everything that decides the result, as JSON; it names the run.

        Further arguments, each with a default, are options of the study's own; on the command
        line they are given as `--name` (`--format`, `--seeds`, `--spec`, `--skill`).
        """

    def warm_up(self) -> None:
        """Compile what the study will run, so that its own time can be told apart."""

    def run(self, run: Run, *, jobs: int | None = None, progress: Progress | None = None) -> None:
        """Do what is left of the run's tasks; it may be killed at any time and called again."""

    def conclude(self, run: Run) -> Page:
        """Make readings and tables of the results, store them, and return the page."""

    def figure(self, page: Page) -> Block | None:
        """Return the figure of a page that stands for the study on the index of a tour."""


def heading(study: str, version: int, *, full: bool, seed: int) -> dict[str, Any]:
    """Return what every plan begins with.

    >>> heading("tail", 1, full=True, seed=3)
    {'study': 'tail', 'version': 1, 'form': 'full', 'seed': 3}
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise BadInput(f"a seed is a whole number of at least 0, got {seed!r}")
    form = "full" if full else "quick"
    return {"study": study, "version": version, "form": form, "seed": int(seed)}
