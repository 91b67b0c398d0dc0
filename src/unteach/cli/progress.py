"""Live progress of a study: compiling, then tasks done, elapsed, and time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from .screen import meanwhile, seconds


@dataclass
class _State:
    """What is known of one study: when it was begun, and how far it is.

    began : when its first task could start, or None; already : tasks done before that
    told : the last tenth that was printed where nothing is live
    """

    name: str
    said: str = "waits"
    compiled: float | None = None
    began: float | None = None
    ticked: float = 0.0
    already: int = 0
    done: int = 0
    total: int = 0
    told: int = -1

    def words(self, now: float) -> str:
        """Return elapsed time, time left, and the time of compilation apart from both."""
        if self.began is None:
            return self.said
        running = self.done < self.total
        elapsed = (now if running else self.ticked) - self.began
        text = seconds(elapsed)
        fresh = self.done - self.already
        if running and fresh:
            pace = (self.ticked - self.began) / fresh
            left = max(0.0, pace * (self.total - self.done) - (now - self.ticked))
            text += f", about {seconds(max(left, 1.0))} left"
        return text + (f" · compiled in {seconds(self.compiled)}" if self.compiled else "")


@dataclass
class Watched:
    """Show what goes on, on stderr: a live line a study in a terminal, else a line a tenth.

    compiling, studying : seconds of each, by study

    >>> with Watched(["margin"], live=False) as watched:
    ...     watched.compile("margin", lambda: None)
    ...     watched.tick("margin", 1, 1)
    """

    names: list[str]
    live: bool | None = None
    compiling: dict[str, float] = field(default_factory=dict)
    studying: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
        from rich.text import Text

        class Clock(ProgressColumn):
            max_refresh = 0.5

            def render(self, task: Any) -> Text:
                return Text(task.fields["state"].words(time.perf_counter()), style="dim")

        self._console = meanwhile()
        self._live = self._console.is_terminal if self.live is None else self.live
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("[bold]{task.fields[state].name}[/]"),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[count]}"),
            Clock(),
            console=self._console,
            disable=not self._live,
        )
        self._states = {name: _State(name) for name in self.names}
        self._tasks = {
            name: self._progress.add_task("", total=None, start=False, state=state, count="")
            for name, state in self._states.items()
        }

    def __enter__(self) -> Watched:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def compile(self, name: str, warm_up: Callable[[], object]) -> None:
        """Run a study's warm-up, timed apart from the study."""
        state = self._states[name]
        self._progress.start_task(self._tasks[name])
        state.said = "compiling"
        start = time.perf_counter()
        warm_up()
        state.compiled = self.compiling[name] = time.perf_counter() - start
        state.said = f"compiled in {seconds(state.compiled)}"
        self._line(f"{name}: {state.said}")

    def tick(self, name: str, done: int, total: int) -> None:
        """Note how many tasks are done; the time left goes by those done since this start."""
        state, now = self._states[name], time.perf_counter()
        if state.began is None:
            state.began, state.already = now, done
        state.ticked, state.done, state.total = now, done, total
        self.studying[name] = now - state.began
        self._progress.update(
            self._tasks[name], completed=done, total=total, count=f"{done}/{total}"
        )
        tenth = 10 * done // max(total, 1)
        if tenth > state.told:
            state.told = tenth
            self._line(f"{name}: {done} of {total} tasks, {state.words(now)}")

    def known(self, name: str) -> None:
        """Note that a study is finished from before."""
        self._states[name].said = "known from before"
        self._progress.start_task(self._tasks[name])
        self._progress.update(self._tasks[name], completed=1, total=1)
        self._line(f"{name}: known from before")

    def _line(self, text: str) -> None:
        if not self._live:
            self._console.print(text, style="dim", markup=False, soft_wrap=True)
