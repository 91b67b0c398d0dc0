"""What a study is: a plan (a value), a run that can be killed and resumed, and a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from unteach.core import BadInput, Progress, Rows
from unteach.data import available, load
from unteach.report import Block, Page
from unteach.store import Run

# Real sets as studies learn from them: those that are here, and their inputs on one scale.


class FromSet(Protocol):
    """A source of data that is drawn from a real set."""

    @property
    def dataset(self) -> str:
        """What the set is called in `unteach.data`."""


Source = TypeVar("Source", bound=FromSet)


def here(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return the sources whose sets are on this machine."""
    return tuple(source for source in sources if available(source.dataset))


@lru_cache(maxsize=2)
def prepared(dataset: str, components: int) -> Rows:
    """Return a whole set, centred and scaled, or as principal components, with class codes.

    Both use constants of the whole set, without labels, computed once and held fixed, so that
    forgetting moves the learner and nothing else.

    dataset : as in `unteach.data` · components : so many principal components; 0 for none

    >>> prepared("wine", 2).x.shape
    (178, 2)
    """
    whole = load(dataset)
    x = np.asarray(whole.x, dtype=np.float64)
    x = x / max(float(np.abs(x).max()), 1.0)
    x = x - x.mean(axis=0)
    if components:
        axes = np.linalg.eigh(x.T @ x / len(x)).eigenvectors[:, ::-1][:, :components]
        x = x @ (axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(components)]))
        x = x / x.std(axis=0)[0]
    codes = np.unique(np.asarray(whole.y), return_inverse=True)[1]
    return Rows(whole.ids, {"x": np.asarray(x, np.float32), "y": codes.astype(np.int64)})


# How a study's page is repeated, and what it was made with: the same on every page.


def command(plan: Mapping[str, Any]) -> str:
    """Return the command line that makes a page again.

    >>> command({"study": "tail", "form": "full", "seed": 3})
    'unteach study tail --full --seed 3'
    """
    form = " --full" if plan["form"] == "full" else ""
    return f"unteach study {plan['study']}{form} --seed {plan['seed']}"


def python(plan: Mapping[str, Any], **options: Any) -> str:
    """Return the lines of Python that make a page again; options are of the study's own plan."""
    study, name = plan["study"], plan["study"].upper()
    given = {"full": plan["form"] == "full", "seed": plan["seed"], **options}
    inside = ", ".join(f"{k}={v!r}" for k, v in given.items())
    return (
        "from unteach.report import write_page\n"
        f"from unteach.studies import {name}\n"
        "from unteach.store import Store\n\n"
        f"plan = {name}.plan({inside})\n"
        'with Store.open(".unteach") as store:\n'
        f'    run = store.begin(plan, name="study {study}")\n'
        f"    {name}.run(run)\n"
        f'    write_page({name}.conclude(run), "index.html")\n'
    )


def provenance(run: Run, *packages: str) -> dict[str, Any]:
    """Return versions, machine and measured seconds; a package that is gone is left out.

    A finished run can be read without what it was made with.
    """
    found = {}
    for name in ("unteach", "numpy", *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    seconds = run.seconds()
    return {
        **found,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "run": run.id,
        "tasks": len(seconds),
        "seconds of all tasks (measured)": round(sum(seconds.values()), 1),
    }


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
