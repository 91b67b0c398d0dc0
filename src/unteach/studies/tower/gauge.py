"""What is read of a model: every skill, every back door, the trace, and how fast it relearns."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from unteach.core import derive, stream
from unteach.skills import Tasks, back_doors, coherence, front_door, possible, trace_damage

from .lessons import records
from .setting import ways_to

LEARN_AGAIN = 60
"""Steps of the relearning attack."""


class Gauge:
    """Fixed questions to models of one format; all models get the same.

    Parameters
    ----------
    tasks : of the skills that are read · n : questions a skill, all of them where there are fewer
    seed : draws them
    """

    def __init__(self, tasks: Tasks, *, n: int, seed: int) -> None:
        self.tasks, self.graph = tasks, tasks.graph
        self.inputs: dict[str, Any] = {}
        for name in tasks.groups:
            few = possible(self.graph[name], len(self.graph.symbols)) <= n
            self.inputs[name] = (
                tasks.domain(name) if few else tasks.inputs(name, n, seed=derive(seed, "read"))
            )
        self._seed = seed

    def oracle(self, model: Any) -> Any:
        """Return the model by its answers, read as soon as they are said.

        What it was asked it remembers, so that many readings of one state ask once; a model that
        has moved on takes a new oracle.
        """
        known: dict[tuple[str, bytes], Any] = {}

        def ask(name: str, inputs: Any) -> Any:
            inputs = np.ascontiguousarray(inputs, dtype=np.int64)
            key = (name, inputs.tobytes())
            if key not in known:
                different, which = np.unique(inputs, axis=0, return_inverse=True)
                said = model.predict(
                    self.tasks.prompts(name, different), most=self.tasks.needed(name)
                )
                known[key] = self.tasks.read(name, said)[which.ravel()]
            return known[key]

        return ask

    def skills(self, ask: Any) -> dict[str, dict[str, float]]:
        """Return share of symbols and of whole tasks right, by skill, each asked by its name."""
        found = {}
        for name, x in self.inputs.items():
            seen = front_door(self.graph, name, x, ask)
            found[name] = {"share": seen.share, "whole": seen.whole}
        return found

    def share(self, ask: Any, name: str) -> float:
        """Return the share of one skill's symbols that are right."""
        return front_door(self.graph, name, self.inputs[name], ask).share

    def led(self, model: Any, names: Any = None) -> dict[str, dict[str, float]]:
        """Return what `skills` does when all tokens before each are given: for frequent readings.

        One pass where answering takes one a token. A task counts as whole if its trace is right
        as well, and is then answered rightly; a skill that says one token is read as by `skills`.
        """
        found = {}
        for name in self.inputs if names is None else names:
            sheet = self.tasks.of(name, self.inputs[name])
            end = np.arange(sheet.tokens.shape[1]) == (sheet.lengths - 1)[:, None]
            right = model.led(records(sheet))
            found[name] = {
                "share": float(right[sheet.answers].mean()),
                "whole": float((right | ~sheet.scored | end).all(axis=1).mean()),
            }
        return found

    def doors(self, ask: Any, skill: str) -> list[dict[str, Any]]:
        """Return the accuracy of the front door and of every back door through taught skills."""
        ways = ways_to(self.graph, skill, self.tasks.groups)
        table = back_doors(self.graph, skill, self.inputs[skill], ask, ways=ways)
        return [
            {"door": r["door"], "through": r["through"], "accuracy": r["accuracy"]}
            for r in table.rows()
        ]

    def coherent(self, ask: Any, name: str) -> float:
        """Return how often a composite equals what the model's own atoms compose to."""
        return coherence(self.graph, name, self.inputs[name], ask).share

    def roles(self, before: Any, after: Any, name: str, tasks: Tasks | None = None) -> Any:
        """Return the drop by role in the trace of a composite, led: a table."""
        sheet = (tasks or self.tasks).of(name, self.inputs[name])
        rows = records(sheet)
        return trace_damage(before.led(rows), after.led(rows), sheet)

    def relearned(self, model: Any, skill: str) -> list[list[float]]:
        """Return (step, accuracy) on the other half when half of a skill's tasks are taught again.

        The attack of somebody who has some examples; read at fixed steps, no best one is chosen.
        """
        from unteach.models import Training, Watch, fit

        x = self.inputs[skill]
        order = stream(self._seed, "relearn").permutation(len(x))
        known, held = x[order[: len(x) // 2]], x[order[len(x) // 2 :]]
        after = copy.deepcopy(model)
        rows = records(self.tasks.of(skill, known))

        def seen() -> float:
            return front_door(self.graph, skill, held, self.oracle(after)).share

        start = seen()
        trace = fit(
            after,
            lambda rng: after.batches(rows, rng),
            after.mean_loss,
            Training(steps=LEARN_AGAIN, lr=5e-4),
            seed=derive(self._seed, "again"),
            watch=Watch(score=seen, every=10),
        )
        return [[0, start], *([step, score] for step, score in trace.watched)]


def near(value: float, level: float, within: float = 0.08) -> bool:
    """Say whether an accuracy is as good as chance, neither above nor below it.

    >>> near(0.2, 0.2), near(0.05, 0.2)
    (True, False)
    """
    return bool(np.abs(value - level) <= within)
