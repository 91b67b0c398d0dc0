"""`unteach runs` and `unteach show`: what the project has recorded."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from .options import PROJECT, AsJson, StorePath, flag, value
from .screen import answers, counted, print_json, table

if TYPE_CHECKING:
    from unteach.report import Page
    from unteach.store import Run

# `unteach purge`: remove what holds training rows, and if asked the key that names people.

REACH = (
    "out of reach: models and reports written elsewhere, the data itself, backups, and what the "
    "disk keeps of deleted files"
)


def purge(
    store: StorePath = PROJECT,
    run: Annotated[str | None, value("ID", "Only what belongs to this run.")] = None,
    whole: Annotated[bool, flag("--whole", "Remove runs whole: readings and tables too.")] = False,
    forget_names: Annotated[
        bool, flag("--forget-names", "Delete the key behind the names of people.")
    ] = False,
    yes: Annotated[bool, flag("--yes", "Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Remove what holds training rows.

    Gone are blobs, shards, reports and what killed runs left behind; the database is rewritten
    without what was deleted. With --forget-names, the digests that stand for people can be linked
    to nobody any more.
    """
    from unteach.core import BadInput, NoRoute
    from unteach.store import Store

    with Store.open(store, create=False) as project:
        chosen = None if run is None else project.run(run).id
        if not yes:
            of = "all runs" if chosen is None else f"run {chosen}"
            gone = ["whole runs" if whole else "what holds training rows", "reports"]
            gone += ["the key that names people"] if forget_names else []
            sys.stderr.write(
                f"This removes {', '.join(gone)} of {of} in {store}, for good.\n"
                "Type purge to go on: "
            )
            sys.stderr.flush()
            answer = sys.stdin.readline()
            if not answer:
                raise BadInput("nobody answered and nothing was purged; give --yes to go on")
            if answer.strip() != "purge":
                raise NoRoute("nothing was purged")
        purged = project.purge(run=chosen, rows_only=not whole, key=forget_names)
    if json:
        print_json({**asdict(purged), "out_of_reach": REACH})
    else:
        screen = answers()
        screen.print(str(purged), markup=False)
        screen.print(REACH, style="dim", markup=False)


def runs(store: StorePath = PROJECT, json: AsJson = False) -> None:
    """List the runs of the project, oldest first."""
    from rich.text import Text

    from unteach.core import visible
    from unteach.store import Store

    with Store.open(store, create=False, write=False) as project:
        found = project.runs()
    if json:
        print_json([asdict(summary) for summary in found])
        return
    screen = answers()
    if not found:
        screen.print(f"no runs yet in {store}", markup=False)
        return
    colours = {"finished": "green", "running": "blue", "interrupted": "yellow", "purged": "dim"}
    grid = table("run", "name", "status", "tasks", "begun", right=("tasks",))
    for summary in found:
        grid.add_row(
            Text(summary.id, style="cyan"),
            Text(visible(summary.name)),
            Text(visible(summary.status), style=colours.get(summary.status, "")),
            f"{summary.done}/{summary.total}" if summary.total else "",
            Text(visible(summary.created[:16].replace("T", " "))),
        )
    screen.print(grid)
    screen.print("unteach show RUN prints one of them", style="dim", markup=False)


def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or how it begins.")],
    store: StorePath = PROJECT,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many readings are drawn.")
    ] = 24,
    json: AsJson = False,
) -> None:
    """Print what a run found, with its intervals."""
    from unteach.core import BadInput
    from unteach.report import page_json, print_page
    from unteach.store import Store

    with Store.open(store, create=False, write=False) as project:
        found = project.run(run)
        if not found.finished:
            done, total = found.progress()
            raise BadInput(
                f"run {found.id} is {found.status} ({done} of {total} tasks done) and has no "
                f"readings; its command goes on with it: {found.command}"
            )
        page = page_of(found)
    if json:
        print_json({**page_json(page), "run": found.id, "plan": found.plan})
    else:
        print_page(page, answers(), limit=limit)


def page_of(run: Run) -> Page:
    """Return the page of a finished run: its study's, a forgetting's, or its readings alone."""
    from unteach.report import Finding, Page, ReadingsBlock
    from unteach.studies import STUDIES

    if "forgetting" in run.tables():
        from .forget_page import forget_page

        return forget_page(run)
    if {"judgements", "audit"} <= set(run.tables()):
        from .auditing import audit_page

        return audit_page(run)
    for study in STUDIES:
        if run.name == f"study {study.name}":
            return study.conclude(run)
    readings = run.readings()
    answer: tuple[Finding, ...] = ()
    if "learning" in run.tables():
        did = next(run.tables()["learning"].rows())
        said = f"`{did['learner']}` was learned from **{counted(did['rows'], 'row')}**; which, "
        answer = (Finding(said + "and into which file, is kept as digests.", (), "done"),)
    blocks = (ReadingsBlock(tuple(r.name for r in readings)),) if readings else ()
    return Page(
        title=run.name,
        question=f"run {run.id}",
        answer=answer,
        blocks=blocks,
        command=run.command,
        python=run.python,
        provenance={},
        readings=tuple(readings),
        tables=tuple(run.tables().values()),
    )
