"""One study from plan to page: warmed up, run, concluded; what stops it keeps what was done."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from .plainly import Stopped
from .progress import Watched

if TYPE_CHECKING:
    from unteach.report import Page
    from unteach.store import Run, Store


def conduct(
    study: Any,
    store: Store,
    watched: Watched,
    *,
    full: bool,
    seed: int,
    jobs: int | None,
    command: str,
    again: str,
    options: Mapping[str, Any] | None = None,
) -> tuple[Page, Run]:
    """Return a study's page and its run; a study that was finished before is only read.

    Parameters
    ----------
    command : what the run stores as the way to repeat it
    again : what resumes it, said when it is interrupted
    options : further arguments of the study's plan
    """
    extra = dict(options or {})
    plan = study.plan(full=full, seed=seed, **extra)
    run = store.begin(
        plan,
        name=f"study {study.name}",
        command=command,
        python=_python(study.name, full, seed, extra),
    )
    try:
        if run.finished:
            watched.known(study.name)
        else:
            watched.compile(study.name, study.warm_up)
            study.run(run, jobs=jobs, progress=partial(_tick, watched, study.name))
        return study.conclude(run), run
    except KeyboardInterrupt:
        done, total = run.progress()
        kept = f"{done} of {total} tasks of {study.name} are kept" if total else "nothing is lost"
        raise Stopped(f"stopped; {kept}, and the same command resumes: {again}") from None


def _tick(watched: Watched, name: str, done: int, total: int, _: str) -> None:
    watched.tick(name, done, total)


def _python(name: str, full: bool, seed: int, options: Mapping[str, Any]) -> str:
    given = "".join(f", {k}={v!r}" for k, v in options.items())
    return "\n".join(
        [
            "from unteach.report import write_page",
            "from unteach.store import Store",
            "from unteach.studies import study_named",
            "",
            f"study = study_named({name!r})",
            'with Store.open(".unteach") as store:',
            f"    plan = study.plan(full={full}, seed={seed}{given})",
            f'    run = store.begin(plan, name="study {name}")',
            "    study.run(run, jobs=None, progress=None)",
            '    write_page(study.conclude(run), "index.html")',
        ]
    )
