"""The margin study: plan, run, conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import Progress
from unteach.data import available
from unteach.engine import run_tasks
from unteach.kernel import SVC
from unteach.report import Block, Page
from unteach.store import Run

from ..study import heading
from .blocks import key_figure
from .conclude import tables_and_readings
from .dose import dose_task
from .dose_rows import PRIMARY
from .leak import leak_task
from .page import margin_page
from .picture import GRID, picture_task
from .setting import FULL, GALLERY, KERNELS, QUICK

VERSION = 5
"""Raised when the same plan would give other results."""

_TASKS = {"dose": dose_task, "leak": leak_task, "picture": picture_task, "gallery": picture_task}


def margin_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the result of one task, by its kind."""
    return _TASKS[payload["kind"]](payload)


@dataclass(frozen=True)
class Margin:
    """Forget support vectors, and watch the boundary and the held-out accuracy.

    Examples
    --------
    >>> plan = MARGIN.plan(full=False, seed=0)
    >>> plan["draws"], [s["name"] for s in plan["sources"]]
    (20, ['moons', 'digits', 'breast_cancer'])
    """

    name: ClassVar[str] = "margin"
    question: ClassVar[str] = (
        "Support vectors are the memories of a kernel machine. What happens when they go?"
    )

    def plan(self, *, full: bool = False, seed: int = 0) -> dict[str, Any]:
        """Return everything that decides the result: with images, where they are installed."""
        doses = [0.05, 0.1, 0.25, 0.5, 0.75, 1.0] if full else [0.1, 0.25, 0.5, 0.75, 1.0]
        return {
            **heading(self.name, VERSION, full=full, seed=seed),
            "draws": 40 if full else 20,
            "doses": doses,
            "kernels": list(KERNELS),
            "grid": list(GRID),
            "gallery": [s.to_json() for s in GALLERY],
            "sources": [s.to_json() for s in (FULL if full else QUICK) if available(s.name)],
        }

    def tasks(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Return the payload of each task by key, slow ones first."""
        tasks: dict[str, Any] = {}
        for kernel in KERNELS:
            tasks[f"picture/{kernel}"] = {
                "kind": "picture",
                "source": plan["sources"][0],
                "kernel": kernel,
                "seed": plan["seed"],
            }
            for source in plan["gallery"]:
                tasks[f"gallery/{source['name']}/{kernel}"] = {
                    "kind": "gallery",
                    "source": source,
                    "kernel": kernel,
                    "seed": plan["seed"],
                    "shares": [0.0, PRIMARY],
                }
        for source in sorted(plan["sources"], key=lambda s: -s["n_train"] * len(s["name"])):
            for k in range(plan["draws"]):
                shared = {"source": source, "seed": plan["seed"], "draw": k}
                for kernel in KERNELS:
                    tasks[f"dose/{source['name']}/{kernel}/{k}"] = {
                        "kind": "dose",
                        **shared,
                        "kernel": kernel,
                        "doses": plan["doses"],
                    }
                tasks[f"leak/{source['name']}/{k}"] = {"kind": "leak", **shared}
        return tasks

    def warm_up(self) -> None:
        """Compile the kernel machine's loops."""
        rng = np.random.Generator(np.random.PCG64(0))
        x = rng.normal(size=(60, 2))
        y = np.where(x[:, 0] + 0.5 * rng.normal(size=60) > 0, 1, -1)
        for kernel in ("linear", "rbf"):
            model = SVC(kernel=kernel, gamma=1.0).fit(x, y)
            model.leave_one_out()
            model.forget(model.support_ids_[:2])

    def run(self, run: Run, *, jobs: int | None = None, progress: Progress | None = None) -> None:
        """Do what is left of the tasks."""
        if run.finished:
            return
        run.add_tasks(self.tasks(run.plan))
        run_tasks(run, margin_task, jobs=jobs, progress=progress)

    def conclude(self, run: Run) -> Page:
        """Store readings and tables, and return the page."""
        if not run.finished:
            tables, readings = tables_and_readings(run.plan, run.results())
            run.finish(readings, tables)
        return margin_page(run)

    def figure(self, page: Page) -> Block | None:
        """Return the picture of the boundary."""
        return key_figure()


MARGIN = Margin()
