"""`unteach tour`: every study in its quick form, one report."""

from __future__ import annotations

import os
import platform
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from .options import AsJson, Jobs, Seed, value
from .progress import Watched
from .screen import answers, must_be_writable, print_json, seconds

OUT = Path("unteach-tour")


def tour(
    out: Annotated[
        Path, value("FOLDER", "Where the report is written, and all that was computed.")
    ] = OUT,
    jobs: Jobs = None,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Run every study in its quick form, into one report.

    A study takes one to three minutes. The tour can be stopped at any moment; the same command
    resumes it, and gives the same bytes.
    """
    from unteach import __version__
    from unteach.report import Entry, print_page, write_index, write_page
    from unteach.store import Store
    from unteach.studies import STUDIES

    from .study import conduct

    must_be_writable(out)
    words = ["unteach", "tour", *(["--out", str(out)] if out != OUT else []), "--seed", str(seed)]
    command = shlex.join(words)
    entries: list[Entry] = []
    summed = 0.0
    ready = [s for s in STUDIES if not missing(s)]
    alone = len(ready) == 1
    with Store.open(out / ".unteach") as store, Watched([s.name for s in ready]) as watched:
        for study in ready:
            single = shlex.join(["unteach", "study", study.name, "--seed", str(seed)])
            page, run = conduct(
                study,
                store,
                watched,
                full=False,
                seed=seed,
                jobs=jobs,
                command=single,
                again=command,
            )
            summed += sum(run.seconds().values())
            link = None if alone else f"{study.name}.html"
            if link is not None:
                write_page(page, out / link)
            entries.append(Entry(study.name, page, link, study.figure(page)))
    compiling, studying = sum(watched.compiling.values()), sum(watched.studying.values())
    report, numbers = out / "index.html", out / "tour.json"
    write_index(
        entries,
        report,
        title="The tour",
        question="What happens when a model forgets, and what does it cost?",
        kicker="unteach",
        command=command,
        provenance={
            "unteach": __version__,
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "seed": seed,
            **{f"{s.name} left out, it needs": missing(s) for s in STUDIES if missing(s)},
            "seconds of this tour": round(studying, 1),
            "seconds of compilation": round(compiling, 1),
            "seconds of all tasks together": round(summed, 1),
        },
        also_json=numbers,
    )
    if json:
        import json as reader

        print_json(
            {
                **reader.loads(numbers.read_text()),
                "written": {"report": str(report), "numbers": str(numbers)},
            }
        )
        return
    from rich.text import Text

    screen = answers()
    for entry in entries:
        print_page(entry.page, screen, limit=6)
    took = f"{seconds(studying)} of studies, {seconds(compiling)} of compilation"
    for label, text in (("took", took), ("numbers", str(numbers)), ("report", str(report))):
        screen.print(Text.assemble((f"  {label:<8}", "dim"), (text, "bold")), soft_wrap=True)


def missing(study: Any) -> str:
    """Return the package that a study needs and that is not installed, or an empty text."""
    module = getattr(study, "needs", "")
    return module if module and find_spec(module) is None else ""
