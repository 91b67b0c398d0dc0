"""The yardstick study: plan, run, conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from unteach.core import BadInput, Progress
from unteach.engine import run_tasks
from unteach.report import Block, Page
from unteach.store import Run

from ..study import heading, here
from .cells import cell_task, design_task, null_task
from .conclude import tables_and_readings
from .page import key_figure, yardstick_page
from .setting import (
    FULL,
    FULL_METHODS,
    FULL_ONLY,
    POLES,
    QUICK,
    QUICK_METHODS,
    RETRAIN,
    SETS,
)

VERSION = 1
"""Raised when the same plan would give other results."""

_TASKS = {"cell": cell_task, "null": null_task, "design": design_task}


def yardstick_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the result of one task, by its name."""
    return _TASKS[payload["task"]](payload)


@dataclass(frozen=True)
class Yardstick:
    """Read many definitions of "forgotten" on the same unlearned models, and compare them.

    Examples
    --------
    >>> plan = YARDSTICK.plan(full=False, seed=0)
    >>> plan["sets"], plan["models"], len(YARDSTICK.tasks(plan))
    (['random', 'mislabelled', 'class'], 16, 40)
    """

    name: ClassVar[str] = "yardstick"
    needs: ClassVar[str] = "torch"
    question: ClassVar[str] = (
        "What does “forgotten” mean, and how is it quantified? Which definitions agree, and which "
        "are fooled?"
    )

    def plan(self, *, full: bool = False, seed: int = 0) -> dict[str, Any]:
        """Return everything that decides the result."""
        sources = FULL + here(FULL_ONLY) if full else QUICK
        return {
            **heading(self.name, VERSION, full=full, seed=seed),
            "sources": [s.to_json() for s in sources],
            "sets": list(SETS if full else SETS[:3]),
            "methods": [*POLES, *(FULL_METHODS if full else QUICK_METHODS)],
            "models": 64 if full else 16,
            "relearn": 60 if full else 40,
            "probed": 16 if full else 6,
            "draws": 400 if full else 200,
            "parts": 4 if full else 2,
            "permutations": 999 if full else 419,
            "replicates": 20 if full else 10,
            "design": "FineTune",
        }

    def tasks(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Return the payload of each task by key; those of one forget set stand together."""
        if 20 * len(plan["methods"]) > plan["draws"] + 1 or 40 * len(plan["methods"]) > (
            plan["permutations"] + 1
        ):
            raise BadInput(
                f"{plan['draws']} draws of the null and {plan['permutations']} permutations cannot "
                f"show a p-value of 5 % adjusted for {len(plan['methods'])} methods; take at least "
                f"{20 * len(plan['methods'])} and {40 * len(plan['methods'])}"
            )
        tasks: dict[str, Any] = {}
        for source in plan["sources"]:
            for kind in plan["sets"]:
                world = {
                    "source": source,
                    "kind": kind,
                    **{k: plan[k] for k in ("seed", "models", "relearn", "probed")},
                }
                where = f"{source['name']}/{kind}"
                for method in (*plan["methods"][::-1], RETRAIN):
                    tasks[f"cell/{where}/{method}"] = {
                        "task": "cell",
                        **world,
                        "method": method,
                        "permutations": plan["permutations"],
                        "replicates": plan["replicates"],
                    }
                for part in range(plan["parts"]):
                    tasks[f"null/{where}/{part}"] = {
                        "task": "null",
                        **world,
                        "part": part,
                        "draws": plan["draws"] // plan["parts"],
                    }
                if kind == "random":
                    tasks[f"design/{where}"] = {
                        "task": "design",
                        **world,
                        "method": plan["design"],
                        "permutations": plan["permutations"],
                    }
        return tasks

    def warm_up(self) -> None:
        """Compile the training loop."""
        from unteach.models import warm_up

        warm_up()

    def run(self, run: Run, *, jobs: int | None = None, progress: Progress | None = None) -> None:
        """Do what is left of the tasks."""
        if run.finished:
            return
        run.add_tasks(self.tasks(run.plan))
        run_tasks(run, yardstick_task, jobs=jobs, progress=progress)

    def conclude(self, run: Run) -> Page:
        """Store readings and tables, and return the page."""
        if not run.finished:
            tables, readings = tables_and_readings(run.plan, run.results())
            run.finish(readings, tables)
        return yardstick_page(run)

    def figure(self, page: Page) -> Block | None:
        """Return the panel of definitions on the first forget set."""
        return key_figure(page)


YARDSTICK = Yardstick()
