"""How a study's page is repeated, and what it was made with: the same on every page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from unteach.store import Run


def command(plan: Mapping[str, Any]) -> str:
    """Return the command line that makes a page again.

    >>> command({"study": "tail", "form": "full", "seed": 3})
    'unteach study tail --full --seed 3'
    """
    form = " --full" if plan["form"] == "full" else ""
    return f"unteach study {plan['study']}{form} --seed {plan['seed']}"


def python(plan: Mapping[str, Any], **options: Any) -> str:
    """Return the lines of Python that make a page again; options are of the study's own plan."""
    study, name = plan["study"], plan["study"].upper()
    given = {"full": plan["form"] == "full", "seed": plan["seed"], **options}
    inside = ", ".join(f"{k}={v!r}" for k, v in given.items())
    return (
        "from unteach.report import write_page\n"
        f"from unteach.studies import {name}\n"
        "from unteach.store import Store\n\n"
        f"plan = {name}.plan({inside})\n"
        'with Store.open(".unteach") as store:\n'
        f'    run = store.begin(plan, name="study {study}")\n'
        f"    {name}.run(run)\n"
        f'    write_page({name}.conclude(run), "index.html")\n'
    )


def provenance(run: Run, *packages: str) -> dict[str, Any]:
    """Return versions, machine and measured seconds; a package that is gone is left out.

    A finished run can be read without what it was made with.
    """
    found = {}
    for name in ("unteach", "numpy", *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    seconds = run.seconds()
    return {
        **found,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "run": run.id,
        "tasks": len(seconds),
        "seconds of all tasks (measured)": round(sum(seconds.values()), 1),
    }
