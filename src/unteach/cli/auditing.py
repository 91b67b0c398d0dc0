"""Carrying an audit out: read, train what is missing, judge, record, and show."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput, Table, digest

from .audit_folder import audit_folder, read_folder
from .audit_order import Order, Prepared, prepare
from .names import Names
from .options import PROJECT
from .plainly import Stopped
from .screen import (
    answers,
    counted,
    noted,
    print_json,
    print_labelled,
    seconds,
)

if TYPE_CHECKING:
    from unteach.audit import AuditReport
    from unteach.report import Page
    from unteach.store import Run, Store

VERSION = 1
"""Raised when the same order would give other results."""


def say_plan(order: Order, *, json: bool) -> None:
    """Print how many trainings there would be, how long, and what could be shown."""
    from dataclasses import asdict

    from unteach import audit

    if order.arms is not None:
        raise BadInput("--arms trains nothing: there is nothing to plan; leave --dry-run out")
    prepared = prepare(order)
    plan = audit.run(
        prepared.methods,
        prepared.learner,
        prepared.records,
        forget=prepared.request,
        tier=order.tier,
        seed=order.seed,
        dry=True,
    )
    if json:
        print_json({"data": prepared.source.name, "what": prepared.what, **asdict(plan)})
        return
    from rich.text import Text

    screen = answers()
    screen.print()
    screen.print(
        Text.assemble(
            "  ",
            (f"{order.tier} audit", "bold"),
            f" of {prepared.what} of {prepared.source.name}; nothing is done yet",
        )
    )
    screen.print()
    shown = (
        "none: one model allows no verdict"
        if plan.detectable is None
        else (
            f"{plan.detectable[0]:.3f} to {plan.detectable[1]:.3f}, as records agree less or more"
        )
    )
    for label, text in (
        ("methods", ", ".join(prepared.methods)),
        ("models", f"{plan.trainings} trainings and {plan.forgettings} forgettings"),
        ("time", f"about {seconds(plan.seconds)} on one core, by one of each just now"),
        ("area", f"smallest detectable {shown}; 0.5 is chance"),
        ("epsilon", f"at most {plan.largest_epsilon:.2f} can be shown of a record"),
    ):
        print_labelled(screen, label, text, 9)
    screen.print()


def carry_out(order: Order, *, again: str, json: bool) -> None:
    """Audit, record the run, write the page, and show it."""
    from unteach.report import page_json, print_page, write_page
    from unteach.store import Store

    with noted() as notes:
        prepared = prepare(order)
        arms = None if order.arms is None else read_folder(order, prepared)
        with Store.open(order.store) as store:
            names = Names(store.key())
            run = store.begin(
                _plan(order, prepared, names, arms),
                name="audit",
                command=again,
                python=_python(order),
            )
            if not run.finished:
                found = (
                    _audited(order, prepared, store, again)
                    if arms is None
                    else audit_folder(arms, order)
                )
                _record(run, found, prepared, names)
            shown = audit_page(run)
            folder = order.page
            path = (
                store.reports / f"{run.id}-audit.html"
                if folder is None
                else (folder / "index.html")
            )
            numbers = None if folder is None else folder / "audit.json"
            report = write_page(shown, path, also_json=numbers)
    if json:
        print_json(
            {**page_json(shown), "run": run.id, "notes": notes, "written": {"page": str(report)}}
        )
        return
    screen = answers()
    print_page(shown, screen, path=report)
    _say_costs(run)


def _audited(order: Order, prepared: Prepared, store: Store, again: str) -> AuditReport:
    """Return the report, with a live line on stderr; when interrupted, say how to go on."""
    from unteach import audit
    from unteach.models import CNN, MLP

    from .progress import Watched

    jobs = order.jobs
    if jobs is None:
        jobs = (os.cpu_count() or 1) if isinstance(prepared.learner, (MLP, CNN)) else 1
    far = (0, 0)
    with Watched(["audit"]) as watched:

        def tick(done: int, total: int, what: str) -> None:
            nonlocal far
            far = done, total
            watched.tick("audit", done, total)

        try:
            return audit.run(
                prepared.methods,
                prepared.learner,
                prepared.records,
                forget=prepared.request,
                tier=order.tier,
                seed=order.seed,
                margin=order.margin,
                store=store,
                jobs=jobs,
                progress=tick,
            )
        except KeyboardInterrupt:
            raise Stopped(
                f"stopped; what {far[0]} of {far[1]} models said is kept, and the same command "
                f"goes on: {again}"
            ) from None


def _record(run: Run, report: AuditReport, prepared: Prepared, names: Names) -> None:
    """Store readings and tables, in which nobody is named."""
    forgotten = Table(
        "forgotten",
        {
            "record": [names.record(i) for i in prepared.targets.tolist()],
            "group": names.of_groups(prepared.records, prepared.targets),
        },
        keys=("record",),
        caption="named by digests under the project's key; "
        "`unteach purge --forget-names` deletes it",
    )
    tables = [
        names.discreet(t, prepared.records) if "id" in t.columns else t for t in report.tables
    ]
    about = Table(
        "audit",
        {
            "data": [prepared.source.name],
            "tier": [report.tier],
            "what": [prepared.what],
            "models": [len(report.base.original)],
            "retrained": [len(report.base.retrained)],
            "seed": [report.seed],
        },
    )
    run.finish(report.readings, [*tables, forgotten, about])


def audit_page(run: Run) -> Page:
    """Return the page of a finished run of `unteach audit`, of what was stored alone."""
    from unteach.audit import page_from

    tables = run.tables()
    about = next(tables["audit"].rows())
    return page_from(
        run.readings(),
        tables,
        kicker=f"unteach audit · {about['data']} · run {run.id}",
        command=run.command,
        python=run.python,
        provenance={
            "unteach": version("unteach"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "tier": about["tier"],
            "forgotten": about["what"],
            "originals": about["models"],
            "retrained": about["retrained"],
            "seed": about["seed"],
        },
    )


def _say_costs(run: Run) -> None:
    """Print what each method costs, of a retraining, and what the audit took."""
    tables = run.tables()
    if "costs" not in tables:
        return
    screen = answers()
    for row in list(tables["costs"].rows())[1:]:
        ratio = row["seconds / retrain"]
        print_labelled(
            screen,
            "cost",
            f"{row['method']}: {seconds(row['seconds'])} a request, {ratio:.2g} of a retraining",
            8,
        )
    own = next(tables["audit cost"].rows())
    read = f", {own['read from the store']} read" if own["read from the store"] else ""
    print_labelled(
        screen,
        "audit",
        f"{counted(own['trainings'], 'training')} and "
        f"{counted(own['forgettings'], 'forgetting')}{read}, {seconds(own['seconds'])}",
        8,
    )
    screen.print()


def _plan(
    order: Order, prepared: Prepared, names: Names, arms: dict[str, Any] | None
) -> dict[str, Any]:
    """Return all that the result depends on; whoever is forgotten stands there by digest."""
    from unteach import __version__
    from unteach.core import read_whole

    data = prepared.source.name if prepared.source.bundled else names.file(read_whole(order.data))
    return {
        "version": [VERSION, __version__],
        "data": data,
        "columns": [order.ids_column, order.target, order.group, *order.leave_out],
        "scale": order.scale.value,
        "learner": repr(prepared.learner),
        "arms": {}
        if arms is None
        else {
            name: names.file(
                b"".join(
                    digest(said.tobytes()).encode()
                    for said in (one.original, one.retrained, one.twin, one.unlearned)
                    if said is not None
                )
            )
            for name, one in sorted(arms.items())
        },
        "methods": {name: repr(m) for name, m in prepared.methods.items()},
        "forget": sorted(names.record(i) for i in prepared.targets.tolist()),
        "whole groups": bool(prepared.request.groups),
        "tier": order.tier,
        "margin": order.margin,
        "seed": order.seed,
    }


def _python(order: Order) -> str:
    return "\n".join(
        [
            "from unteach import audit",
            "",
            f"report = audit.run(methods, learner, records, forget=ids, tier={order.tier!r},",
            f"                   margin={order.margin:g}, seed={order.seed}, "
            f"store={str(PROJECT)!r})",
            'report.save("page.html")',
        ]
    )
