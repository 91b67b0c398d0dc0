"""The proof study: plan, run, conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

from unteach.core import BadInput, Progress
from unteach.engine import run_tasks
from unteach.report import Block, Page
from unteach.store import Run

from ..study import heading
from .conclude import tables_and_readings
from .page import key_figure, proof_page
from .symbolic import map_task, price_task
from .world import FORMS

VERSION = 1
"""Raised when the same plan would give other results."""


def proof_task(payload: dict[str, Any]) -> Any:
    """Return the result of one task, by its kind."""
    if payload["kind"] == "model":
        from .neural import neural_task

        return neural_task(payload)
    return {"map": map_task, "price": price_task}[payload["kind"]](payload)


@dataclass(frozen=True)
class Proof:
    """Forget what a conclusion follows from, keep the conclusion, and see what can be derived.

    Needs the extras `torch` and `knowledge`.

    Examples
    --------
    >>> plan = PROOF.plan(full=False, seed=0)
    >>> plan["families"], plan["models"], len(PROOF.tasks(plan))
    (4, 2, 12)
    """

    name: ClassVar[str] = "proof"
    question: ClassVar[str] = (
        "Conclusions follow from statements. Can the statements be forgotten and the conclusion "
        "kept?"
    )

    def plan(self, *, full: bool = False, seed: int = 0) -> dict[str, Any]:
        """Return everything that decides the result."""
        return {
            **heading(self.name, VERSION, full=full, seed=seed),
            "families": 12 if full else 4,
            "facts": 300 if full else 120,
            "sizes": [1, 2, 3, 5, 8, 12, 16],
            "repeats": 20 if full else 8,
            "models": 10 if full else 2,
            "clans": 3 if full else 2,
            "share": 0.3,
        }

    def tasks(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Return the payload of each task by key, slow ones first."""
        tasks: dict[str, Any] = {}
        for k in range(plan["models"]):
            for form in reversed(FORMS):
                tasks[f"model/{form}/{k}"] = {
                    "kind": "model",
                    "form": form,
                    "seed": plan["seed"],
                    "draw": k,
                    "clans": plan["clans"],
                    "share": plan["share"],
                }
        shared = {"seed": plan["seed"], "facts": plan["facts"]}
        for k in range(plan["families"]):
            tasks[f"map/{k}"] = {"kind": "map", "draw": k, **shared}
            tasks[f"price/{k}"] = {
                "kind": "price",
                "draw": k,
                "sizes": plan["sizes"],
                "repeats": plan["repeats"],
                **shared,
            }
        return tasks

    def warm_up(self) -> None:
        """Refuse at once where something that the study needs is not installed."""
        needed = {
            "torch": "torch",
            "safetensors": "torch",
            "pysat": "knowledge",
            "clingo": "knowledge",
        }
        missing = {name: extra for name, extra in needed.items() if find_spec(name) is None}
        if missing:
            extras = ",".join(sorted(set(missing.values())))
            raise BadInput(
                f"the proof study trains a small model and solves exact plans; it needs "
                f'{", ".join(missing)}, not installed here: pip install "unteach[{extras}]"'
            )

    def run(self, run: Run, *, jobs: int | None = None, progress: Progress | None = None) -> None:
        """Do what is left of the tasks."""
        if run.finished:
            return
        self.warm_up()
        run.add_tasks(self.tasks(run.plan))
        run_tasks(run, proof_task, jobs=jobs, progress=progress)

    def conclude(self, run: Run) -> Page:
        """Store readings and tables, and return the page."""
        if not run.finished:
            tables, readings = tables_and_readings(run.plan, run.results())
            run.finish(readings, tables)
        return proof_page(run)

    def figure(self, page: Page) -> Block | None:
        """Return the bars of which conclusions can outlive their premises."""
        return key_figure()


PROOF = Proof()
