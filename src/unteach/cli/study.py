"""`unteach study`: one of the founding questions, answered by measurement."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from unteach.core import BadInput

from .options import PROJECT, AsJson, Jobs, Seed, StorePath, flag, value
from .screen import answers, must_be_writable, print_json

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
        int | None, typer.Option(min=1, metavar="N", help="Trained models a setting, a seed each.",
                                 rich_help_panel=_OF_ITS_OWN)
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

    from .conducting import conduct
    from .progress import Watched

    chosen = study_named(name)
    folder = out or Path(f"unteach-{chosen.name}")
    must_be_writable(folder)
    given = {"format": format, "seeds": seeds, "skill": skill,
             "spec": None if spec is None else str(spec)}  # fmt: skip
    options = taken(chosen, {k: v for k, v in given.items() if v is not None})
    asked = [word for k, v in options.items() for word in (f"--{k}", str(v))]
    words = ["unteach", "study", chosen.name, *(["--full"] if full else []), *asked,
             "--seed", str(seed)]  # fmt: skip
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
            chosen, project, watched, full=full, seed=seed, jobs=jobs, command=command,
            again=again, options=options,
        )  # fmt: skip
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
