"""`unteach purge`: remove what holds training rows, and if asked the key that names people."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

from .options import PROJECT, AsJson, StorePath, flag, value
from .screen import answers, print_json

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
            sys.stderr.write(f"This removes {', '.join(gone)} of {of} in {store}, for good.\n"
                             "Type purge to go on: ")  # fmt: skip
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
