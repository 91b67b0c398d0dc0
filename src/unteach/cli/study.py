"""`unteach study`: one of the founding questions, answered by measurement."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from .options import PROJECT, AsJson, Jobs, Seed, StorePath, flag, value
from .screen import answers, must_be_writable, print_json


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
    words = ["unteach", "study", chosen.name, *(["--full"] if full else []), "--seed", str(seed)]
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
            chosen, project, watched, full=full, seed=seed, jobs=jobs, command=command, again=again
        )
    numbers = folder / f"{chosen.name}.json"
    report = write_page(page, folder / "index.html", also_json=numbers)
    if json:
        written = {"report": str(report), "numbers": str(numbers)}
        print_json({**page_json(page), "run": run.id, "written": written})
    else:
        print_page(page, answers(), path=report)
