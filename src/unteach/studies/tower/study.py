"""The tower study: plan, run, conclusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from unteach.core import BadInput, Progress
from unteach.engine import run_tasks
from unteach.report import Block, Page
from unteach.skills import FORMATS
from unteach.store import Run

from ..study import heading
from .setting import (
    ARMS,
    CHANGES,
    FEW_ARMS,
    FEW_CHANGES,
    FOUR,
    FULL,
    MAIN,
    MATRIX,
    NINE,
    PART_OF_MATRIX,
    QUICK,
    SMALL_MATRIX,
    THOROUGH,
    built_in,
    graph_of,
    own,
    shape_json,
    tasks_of,
    ways_to,
)

VERSION = 3
"""Raised when the same plan would give other results."""
QUICK_FORMAT = "explicit-rope"


def tower_task(payload: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return the result of one task, by its kind."""
    from .forgetting import change_task, entangle_task, forget_task, mole_task, teach_task

    kinds: dict[str, Callable[[Mapping[str, Any], Path], dict[str, Any]]] = {
        "teach": teach_task,
        "forget": forget_task,
        "change": change_task,
        "mole": mole_task,
        "entangle": entangle_task,
    }
    return kinds[payload["kind"]](payload, Path(folder))


@dataclass(frozen=True)
class TowerStudy:
    """Forget a skill, or change it, and watch what stands on it.

    Examples
    --------
    >>> plan = TOWER.plan(format="all", seeds=2)
    >>> plan["formats"], plan["seeds"], plan["world"]["forgotten"]
    (['direct', 'implicit', 'explicit', 'explicit-rope'], 2, ['ADD'])
    """

    name: ClassVar[str] = "tower"
    needs: ClassVar[str] = "torch"
    question: ClassVar[str] = (
        "Knowledge is a hierarchy: matrix products stand on sums. Can the sum be forgotten, or "
        "changed, and the matrix product kept?"
    )

    def plan(
        self,
        *,
        full: bool = False,
        seed: int = 0,
        format: str | None = None,
        seeds: int | None = None,
        spec: str | None = None,
        skill: str | None = None,
    ) -> dict[str, Any]:
        """Return everything that decides the result; a tower file's text is part of it.

        Parameters
        ----------
        format : one of the four, or "all"; the quick form has "explicit-rope" if none is given
        seeds : models a format, from `seed` on; 1 in the quick form, 5 in the full one
        spec : a tower of one's own, as `load_tower` reads it
        skill : what is forgotten and changed; ADD (and MUL in the full form) if none is given
        """
        begun = heading(self.name, VERSION, full=full, seed=seed)
        asked = format or ("all" if full else QUICK_FORMAT)
        if asked != "all" and asked not in FORMATS:
            raise BadInput(f"a format is one of {FORMATS}, or all; got {format!r}")
        count = seeds if seeds is not None else 5 if full else 1
        if count < 1:
            raise BadInput(f"seeds is at least 1, got {count}")
        taught, gone = (NINE, ("ADD", "MUL")) if full else (FOUR, ("ADD",))
        if spec is not None:
            world = own(spec, skill)
        else:
            world = built_in(7 if full else 5, taught, gone if skill is None else (skill,))
        graph = graph_of(world)
        for name in world["forgotten"]:
            if name not in world["skills"] or not set(graph.over(name)) & set(world["skills"]):
                raise BadInput(
                    f"{name!r} is not taught, or carries no skill that is; the taught "
                    f"ones are {world['skills']}"
                )
        formats = list(FORMATS) if asked == "all" else [asked]
        thorough = (THOROUGH if THOROUGH in formats else formats[0]) if full else None

        def matrix(format: str) -> list[str]:
            if spec is not None:
                return list(world["skills"])[:6]
            return list(
                SMALL_MATRIX if not full else MATRIX if format == thorough else PART_OF_MATRIX
            )

        return {
            **begun,
            "seeds": int(count),
            "formats": formats,
            "thorough": thorough,
            "world": world,
            "shapes": {f: shape_json(FULL[f] if full else QUICK) for f in FORMATS},
            "matrix": {f: matrix(f) for f in formats},
            "n": 200 if full else 80,
            "steps": 400,
            "share": 0.5 if full else 0.15,
            "change_steps": 200 if full else 120,
            "few_steps": 80 if full else 40,
        }

    def tasks(self, plan: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the payloads by key: those that teach, and those that need what they taught."""
        first: dict[str, Any] = {}
        then: dict[str, Any] = {}
        world, full = plan["world"], plan["form"] == "full"
        graph, (main, *others) = graph_of(world), world["forgotten"]
        for k in range(plan["seeds"]):
            for format in plan["formats"]:
                shared = {
                    "world": world,
                    "shape": plan["shapes"][format],
                    "format": format,
                    "seed": plan["seed"] + k,
                    "n": plan["n"],
                }
                at, steps, all_of_it = f"{format}/{k}", plan["steps"], format == plan["thorough"]
                for without in ("", main, *(others if all_of_it else ())):
                    first[f"teach/{at}/{without or 'all'}"] = {
                        **shared,
                        "kind": "teach",
                        "without": without,
                    }
                for skill in world["forgotten"]:
                    for method, kept in ARMS if full and skill == main else FEW_ARMS:
                        then[f"forget/{at}/{skill}/{method}/{kept}"] = {
                            **shared,
                            "kind": "forget",
                            "skill": skill,
                            "method": method,
                            "kept": kept,
                            "relearn": (method, kept) == MAIN,
                            "share": plan["share"],
                            "steps": steps if (method, kept) in FEW_ARMS else steps // 2,
                        }
                    whole = full and (skill == main or all_of_it)
                    for kept, moved in CHANGES if whole else FEW_CHANGES:
                        then[f"change/{at}/{skill}/{kept}/{moved}"] = {
                            **shared,
                            "kind": "change",
                            "skill": skill,
                            "kept": kept,
                            "moved": moved,
                            "steps": plan["change_steps"],
                        }
                doors = len(ways_to(graph, main, tuple(tasks_of(world, format).groups)))
                closings = {0, 2, doors // 2, doors} if all_of_it else {0, doors}
                for closed in sorted(closings & set(range(doors + 1))):
                    then[f"mole/{at}/{closed}"] = {
                        **shared,
                        "kind": "mole",
                        "skill": main,
                        "closed": closed,
                        "share": plan["share"],
                        "steps": plan["change_steps"],
                    }
                for name in (matrix := plan["matrix"][format]):
                    then[f"entangle/{at}/{name}"] = {
                        **shared,
                        "kind": "entangle",
                        "skill": name,
                        "steps": plan["few_steps"],
                        "watched": [n for n in matrix if n != name],
                    }
        return first, then

    def warm_up(self) -> None:
        """Load torch, so that its loading can be told apart; say what to install without it."""
        from unteach import models

        models.Network  # noqa: B018

    def run(self, run: Run, *, jobs: int | None = None, progress: Progress | None = None) -> None:
        """Do what is left of the tasks; models that are taught already are read from the folder.

        One format after another, the thorough one first: a run that is stopped holds whole formats.
        """
        if run.finished:
            return
        first, then = self.tasks(run.plan)
        work = partial(tower_task, folder=str(run.folder))
        total = len(first) + len(then)

        def tell(done: int, _: int, key: str) -> None:
            if progress is not None:
                progress(done, total, key)

        for format in sorted(run.plan["formats"], key=lambda f: f != run.plan["thorough"]):
            for tasks in (first, then):
                run.add_tasks({k: t for k, t in tasks.items() if t["format"] == format})
                run_tasks(run, work, jobs=jobs, progress=tell)

    def conclude(self, run: Run) -> Page:
        """Store readings and tables, and return the page."""
        from .conclude import tables_and_readings
        from .page import tower_page

        if not run.finished:
            tables, readings = tables_and_readings(run.plan, run.results())
            run.finish(readings, tables)
        return tower_page(run)

    def figure(self, page: Page) -> Block | None:
        """Return the picture of the tower, before and after."""
        from .blocks import key_figure

        return key_figure()


TOWER = TowerStudy()
