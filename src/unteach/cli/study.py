"""`unteach study`: one of the founding questions, answered by measurement."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unteach.core import BadInput

from .options import PROJECT, AsJson, Jobs, Seed, StorePath, flag, value
from .plainly import Stopped
from .progress import Watched
from .screen import answers, must_be_writable, print_json

if TYPE_CHECKING:
    from unteach.report import Page
    from unteach.store import Run, Store

# One study from plan to page: warmed up, run, concluded; what stops it keeps what was done.


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


_OF_ITS_OWN = "Of some studies alone (tower)"


def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See `unteach list studies`.")],
    full: Annotated[bool, flag("--full/--quick", "The full form takes longer and shows more.")] = (
        False
    ),
    out: Annotated[
        Path | None, value("FOLDER", "Where the report is written; if not given, unteach-NAME.")
    ] = None,
    jobs: Jobs = None,
    store: StorePath = PROJECT,
    seed: Seed = 0,
    json: AsJson = False,
    format: Annotated[
        str | None,
        value("FORMAT", "direct, implicit, explicit, explicit-rope or all.", _OF_ITS_OWN),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Trained models a setting, a seed each.",
            rich_help_panel=_OF_ITS_OWN,
        ),
    ] = None,
    spec: Annotated[
        Path | None, value("FILE", "A tower of your own: .toml, or .py, which is run.", _OF_ITS_OWN)
    ] = None,
    skill: Annotated[
        str | None, value("NAME", "The skill that is forgotten and changed.", _OF_ITS_OWN)
    ] = None,
) -> None:
    """Run one study, and write its page and its numbers.

    It can be stopped at any moment; the same command resumes it, and gives the same bytes.
    """
    from unteach.report import page_json, print_page, write_page
    from unteach.store import Store
    from unteach.studies import study_named

    from .progress import Watched

    chosen = study_named(name)
    folder = out or Path(f"unteach-{chosen.name}")
    must_be_writable(folder)
    given = {
        "format": format,
        "seeds": seeds,
        "skill": skill,
        "spec": None if spec is None else str(spec),
    }
    options = taken(chosen, {k: v for k, v in given.items() if v is not None})
    asked = [word for k, v in options.items() for word in (f"--{k}", str(v))]
    words = [
        "unteach",
        "study",
        chosen.name,
        *(["--full"] if full else []),
        *asked,
        "--seed",
        str(seed),
    ]
    command = shlex.join(words)
    again = shlex.join(
        [
            *words,
            *(["--out", str(out)] if out is not None else []),
            *(["--store", str(store)] if store != PROJECT else []),
        ]
    )
    with Store.open(store) as project, Watched([chosen.name]) as watched:
        page, run = conduct(
            chosen,
            project,
            watched,
            full=full,
            seed=seed,
            jobs=jobs,
            command=command,
            again=again,
            options=options,
        )
    numbers = folder / f"{chosen.name}.json"
    report = write_page(page, folder / "index.html", also_json=numbers)
    if json:
        written = {"report": str(report), "numbers": str(numbers)}
        print_json({**page_json(page), "run": run.id, "written": written})
    else:
        print_page(page, answers(), path=report)


def taken(study: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given; a study declares those of its own as `plan`'s arguments.

    >>> from unteach.studies import MARGIN
    >>> taken(MARGIN, {"seeds": 3})
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: the study margin takes no --seeds
    """
    known = inspect.signature(study.plan).parameters
    strange = [name for name in options if name not in known]
    if strange:
        raise BadInput(f"the study {study.name} takes no --{strange[0]}")
    return dict(options)
