"""The tail study: plan, run, conclusion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from unteach.core import Progress, derive
from unteach.data import frequencies
from unteach.engine import run_tasks
from unteach.memorize import singletons
from unteach.report import Block, Page
from unteach.store import Run

from ..study import heading, here
from .conclude import tables_and_readings
from .page import key_figure, pictures_task, tail_page
from .phase import phase_task
from .removal import removal_task
from .setting import DIGITS, FULL_ONLY, NOISY, QUICK

# One task: Feldman's constants for a prior, by simulation and in closed form.

PRIORS = (
    {
        "label": "Zipf, 50,000 subpopulations",
        "subpopulations": 50_000,
        "exponent": 1.0,
        "n": 50_000,
    },
    {"label": "uniform, 2,000 subpopulations", "subpopulations": 2000, "exponent": 0.0, "n": 2000},
    {
        "label": "short tail, 500 of 20,000 records",
        "subpopulations": 500,
        "exponent": 0.0,
        "n": 20_000,
    },
)


def constants_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the constants as plain values; those that do not exist are None.

    payload : {"prior": one of PRIORS, "draws", "seed"}
    """
    prior = payload["prior"]
    found = singletons(
        lambda rng: frequencies(prior["subpopulations"], prior["exponent"], rng),
        prior["n"],
        draws=payload["draws"],
        seed=derive(payload["seed"], "tail", "constants"),
    )
    values = {k: v if v == v else None for k, v in asdict(found).items()}  # nan is no JSON
    return {"prior": prior["label"], "n": prior["n"], **values}


VERSION = 1
"""Raised when the same plan would give other results."""

_TASKS = {
    "removal": removal_task,
    "phase": phase_task,
    "pictures": pictures_task,
    "constants": constants_task,
}


def tail_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the result of one task, by its kind."""
    return _TASKS[payload["kind"]](payload)


@dataclass(frozen=True)
class Tail:
    """Unlearn what was memorized, and watch what held-out points see of it.

    Examples
    --------
    >>> plan = TAIL.plan(full=False, seed=0)
    >>> plan["draws"], [s["name"] for s in plan["sources"]], len(TAIL.tasks(plan))
    (10, ['digits', 'digits_noisy'], 189)
    """

    name: ClassVar[str] = "tail"
    question: ClassVar[str] = (
        "Memorization is said to be needed to generalize. What if the memorized data is unlearned?"
    )

    def plan(self, *, full: bool = False, seed: int = 0) -> dict[str, Any]:
        """Return everything that decides the result."""
        sources = [s.to_json() for s in (QUICK + here(FULL_ONLY) if full else QUICK)]
        if not full:
            sources = [{**s, "learners": ["mlp", "knn"]} for s in sources]
        return {
            **heading(self.name, VERSION, full=full, seed=seed),
            "draws": 20 if full else 10,
            "models": 200 if full else 50,
            "retrained": 10 if full else 4,
            "fractions": [0.025, 0.05, 0.1, 0.2, 0.3] if full else [0.05, 0.1, 0.2],
            "sources": sources,
            "pictures": {"models": 1000 if full else 200},
            "phase": {
                "exponents": [0.0, 0.5, 1.0, 1.5, 2.0] if full else [0.0, 1.0, 2.0],
                "noise": [0.0, 0.05, 0.1, 0.2, 0.3] if full else [0.0, 0.1, 0.2],
                "hidden": [4, 16, 64, 256] if full else [8, 128],
                "n": 500,
                "subpopulations": 500,
                "share": 0.1,
                "models": 100 if full else 50,
                "retrained": 6 if full else 4,
                "draws": 10 if full else 8,
            },
            "constants": {"draws": 200 if full else 40, "priors": list(PRIORS)},
        }

    def tasks(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Return the payload of each task by key, slow ones first."""
        seed, tasks = plan["seed"], {}
        for source in plan["sources"]:
            if source["name"] in (DIGITS.name, NOISY.name, "mnist", "fashion"):
                tasks[f"pictures/{source['name']}"] = {
                    "kind": "pictures",
                    "source": source,
                    "seed": seed,
                    "draw": 0,
                    "models": plan["pictures"]["models"],
                }
        for source in sorted(plan["sources"], key=lambda s: -int(s["n_train"])):
            for learner in source["learners"]:
                for k in range(plan["draws"]):
                    tasks[f"removal/{source['name']}/{learner}/{k}"] = {
                        "kind": "removal",
                        "source": source,
                        "learner": learner,
                        "seed": seed,
                        "draw": k,
                        "fractions": plan["fractions"],
                        "models": plan["models"],
                        "retrained": plan["retrained"],
                    }
        phase = plan["phase"]
        shared = ("n", "subpopulations", "share", "models", "retrained")
        for hidden in sorted(phase["hidden"], reverse=True):
            for exponent in phase["exponents"]:
                for noise in phase["noise"]:
                    for k in range(phase["draws"]):
                        tasks[f"phase/{exponent}/{noise}/{hidden}/{k}"] = {
                            "kind": "phase",
                            "seed": seed,
                            "draw": k,
                            "exponent": exponent,
                            "noise": noise,
                            "hidden": hidden,
                            **{s: phase[s] for s in shared},
                        }
        for at, prior in enumerate(plan["constants"]["priors"]):
            tasks[f"constants/{at}"] = {
                "kind": "constants",
                "prior": prior,
                "seed": seed,
                "draws": plan["constants"]["draws"],
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
        run_tasks(run, tail_task, jobs=jobs, progress=progress)

    def conclude(self, run: Run) -> Page:
        """Store readings and tables, and return the page."""
        if not run.finished:
            tables, readings = tables_and_readings(run.plan, run.results())
            run.finish(readings, tables)
        return tail_page(run)

    def figure(self, page: Page) -> Block | None:
        """Return the gallery of the most memorized pictures."""
        return key_figure()


TAIL = Tail()
