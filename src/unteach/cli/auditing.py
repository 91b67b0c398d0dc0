"""Carrying an audit out: read, train what is missing, judge, record, and show."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput, Request, Rows, Table, derive

from .asked import Asked, asked_for, found_in
from .names import Names
from .options import PROJECT
from .plainly import Stopped
from .scaling import Scaling, scaled
from .screen import (
    answers,
    counted,
    must_be_writable,
    noted,
    print_json,
    print_labelled,
    seconds,
)
from .sources import Source, read_source

if TYPE_CHECKING:
    from unteach.audit import AuditReport
    from unteach.report import Page
    from unteach.store import Run, Store

VERSION = 1
"""Raised when the same order would give other results."""


@dataclass(frozen=True)
class Order:
    """What `unteach audit` was told; no value that names someone is in it."""

    data: str
    methods: str
    model: str
    param: tuple[str, ...]
    forget: str | None
    group: str | None
    values_from: str | None
    ids_column: str | None
    target: str | None
    leave_out: tuple[str, ...]
    scale: Scaling
    arms: Path | None
    tier: str
    margin: float
    jobs: int | None
    page: Path | None
    store: Path
    seed: int

    def check(self) -> None:
        """Refuse what cannot be done before anything is read or learned."""
        from unteach.audit.tiers import models_of

        models_of(self.tier)
        if not 0 < self.margin < 0.5:
            raise BadInput(f"--margin is a share of the area, in (0, 0.5), got {self.margin}")
        if not self.names:
            raise BadInput("--methods names no method; see `unteach list methods`")
        ways = [self.forget, self.group or self.values_from]
        if sum(w is not None for w in ways) != 1:
            raise BadInput(
                "say what to forget in one way: --forget N, --forget FILE of ids, or --group "
                "COLUMN --values-from FILE; - reads from stdin"
            )
        if self.page is not None:
            must_be_writable(self.page)

    @property
    def names(self) -> list[str]:
        """The methods as they were written."""
        return [n.strip() for n in self.methods.split(",") if n.strip()]

    @property
    def drawn(self) -> int | None:
        """How many records are to be drawn, None if they are named."""
        return int(self.forget) if self.forget is not None and self.forget.isdecimal() else None

    @cached_property
    def asked(self) -> Asked | None:
        """Whom or what the files name; None if records are drawn."""
        if self.drawn is not None:
            return None
        return asked_for(ids_file=self.forget, ids=(), group=self.group,
                         values_from=self.values_from)  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """What is needed to audit: records, the request, the learner and the methods."""

    source: Source
    records: Rows
    request: Request
    targets: Any
    learner: Any
    methods: dict[str, Any]

    @property
    def what(self) -> str:
        """What is to be forgotten, in words that name nobody."""
        rows = counted(len(self.targets), "row")
        if not self.request.groups:
            return rows
        one, many = ("class", "classes") if self.source.group == "class" else ("person", "people")
        return f"{rows} of {counted(len(self.request.groups), one, many)}"


def prepare(order: Order) -> Prepared:
    """Return everything that is needed, or refuse; nothing is learned yet."""
    from unteach.data import pick
    from unteach.models import as_learner, classifies

    from .learners import learner_called, method_called, must_suit

    source = read_source(
        order.data, ids=order.ids_column, target=order.target, group=order.group,
        leave_out=order.leave_out, ids_option="--ids-column",
    )  # fmt: skip
    estimator = learner_called(order.model, order.param)
    must_suit(estimator, source.records)
    if not classifies(estimator):
        raise BadInput(f"an audit compares classifiers, and {order.model} is none")
    whole = source.records
    records = Rows(whole.ids, {"x": scaled(whole.x, order.scale), "y": whole.y}, whole.groups)
    if order.drawn is not None:
        if not 0 < order.drawn < len(records):
            raise BadInput(f"--forget {order.drawn} of {len(records)} records leaves nothing")
        request = Request(ids=tuple(
            pick(records, "random", n=order.drawn, seed=derive(order.seed, "forget")).tolist()
        ))  # fmt: skip
    else:
        request = _named(order, source)
    methods = {}
    for name in order.names:
        method = method_called(name.replace("+", "-plus"))
        methods[type(method).__name__] = method
    return Prepared(source, records, request, request.targets(records), as_learner(estimator),
                    methods)  # fmt: skip


def _named(order: Order, source: Source) -> Request:
    asked = order.asked
    if asked is None:
        raise BadInput("say what to forget: --forget, or --group with --values-from")
    known = source.records.groups if asked.whole else source.records.ids
    if known is None:
        raise BadInput(f"{source.name} has no groups; name rows with --forget FILE")
    where = f"column {source.group!r} of {source.name}" if asked.whole else source.name
    values, _ = found_in(asked, known, where=where, skip_missing=False)
    return Request(groups=tuple(values)) if asked.whole else Request(ids=tuple(values))


def say_plan(order: Order, *, json: bool) -> None:
    """Print how many trainings there would be, how long, and what could be shown."""
    from dataclasses import asdict

    from unteach import audit

    prepared = prepare(order)
    plan = audit.run(
        prepared.methods, prepared.learner, prepared.records, forget=prepared.request,
        tier=order.tier, seed=order.seed, dry=True,
    )  # fmt: skip
    if json:
        print_json({"data": prepared.source.name, "what": prepared.what, **asdict(plan)})
        return
    from rich.text import Text

    screen = answers()
    screen.print()
    screen.print(Text.assemble("  ", (f"{order.tier} audit", "bold"), f" of {prepared.what} of "
                               f"{prepared.source.name}; nothing is done yet"))  # fmt: skip
    screen.print()
    shown = "none: one model allows no verdict" if plan.detectable is None else (
        f"{plan.detectable[0]:.3f} to {plan.detectable[1]:.3f}, as records agree less or more"
    )  # fmt: skip
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
        with Store.open(order.store) as store:
            names = Names(store.key())
            run = store.begin(_plan(order, prepared, names), name="audit", command=again,
                              python=_python(order))  # fmt: skip
            if not run.finished:
                _record(run, _audited(order, prepared, store, again), prepared, names)
            shown = audit_page(run)
            folder = order.page
            path = store.reports / f"{run.id}-audit.html" if folder is None else (
                folder / "index.html"
            )  # fmt: skip
            numbers = None if folder is None else folder / "audit.json"
            report = write_page(shown, path, also_json=numbers)
    if json:
        print_json({**page_json(shown), "run": run.id, "notes": notes,
                    "written": {"page": str(report)}})  # fmt: skip
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
                prepared.methods, prepared.learner, prepared.records, forget=prepared.request,
                tier=order.tier, seed=order.seed, margin=order.margin, store=store, jobs=jobs,
                progress=tick,
            )  # fmt: skip
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
    tables = [names.discreet(t, prepared.records) if "id" in t.columns else t
              for t in report.tables]  # fmt: skip
    about = Table("audit", {
        "data": [prepared.source.name], "tier": [report.tier], "what": [prepared.what],
        "models": [len(report.base.original)], "retrained": [len(report.base.retrained)],
        "seed": [report.seed],
    })  # fmt: skip
    run.finish(report.readings, [*tables, forgotten, about])


def audit_page(run: Run) -> Page:
    """Return the page of a finished run of `unteach audit`, of what was stored alone."""
    from unteach.audit.arm_page import page_from

    tables = run.tables()
    about = next(tables["audit"].rows())
    return page_from(
        run.readings(), tables, kicker=f"unteach audit · {about['data']} · run {run.id}",
        command=run.command, python=run.python,
        provenance={
            "unteach": version("unteach"), "numpy": version("numpy"),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores", "tier": about["tier"],
            "forgotten": about["what"], "originals": about["models"],
            "retrained": about["retrained"], "seed": about["seed"],
        },
    )  # fmt: skip


def _say_costs(run: Run) -> None:
    """Print what each method costs, of a retraining, and what the audit took."""
    tables = run.tables()
    screen = answers()
    for row in list(tables["costs"].rows())[1:]:
        ratio = row["seconds / retrain"]
        print_labelled(screen, "cost", f"{row['method']}: {seconds(row['seconds'])} a request, "
                       f"{ratio:.2g} of a retraining", 8)  # fmt: skip
    own = next(tables["audit cost"].rows())
    read = f", {own['read from the store']} read" if own["read from the store"] else ""
    print_labelled(
        screen, "audit", f"{counted(own['trainings'], 'training')} and "
        f"{counted(own['forgettings'], 'forgetting')}{read}, {seconds(own['seconds'])}", 8,
    )  # fmt: skip
    screen.print()


def _plan(order: Order, prepared: Prepared, names: Names) -> dict[str, Any]:
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
