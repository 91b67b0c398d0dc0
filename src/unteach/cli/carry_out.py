"""Carrying a forgetting out: forget, audit, record, report, and last of all write the model."""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unteach.core import Forgotten, Reading, Saved, Table, write_whole

from .forget_page import forget_page, silent
from .forgetting import Planned
from .learned import told_otherwise
from .lineage import rows_after
from .names import Names
from .plainly import Stopped
from .repeat import command_of, python_of
from .screen import answers, counted, meanwhile, noted, print_json, print_labelled

if TYPE_CHECKING:
    from unteach.audit import Audit
    from unteach.report import Page
    from unteach.store import Run, Store

VERSION = 2
"""Raised when the same order would give other results."""


def carry_out(planned: Planned, *, json: bool) -> None:
    """Do it. The model is written last, and whole: until then everything is as it was."""
    from unteach.models import saved_of
    from unteach.report import page_json, write_page
    from unteach.store import Store
    from unteach.unlearn import seed_for

    order = planned.order
    mode = os.stat(order.model).st_mode  # whoever may not read the old model, not the new one
    try:
        with Store.open(order.store) as store:
            names = Names(store.key())
            run = store.begin(
                _plan(planned, names),
                name="forget",
                command=command_of(order, planned.asked),
                python=python_of(order, planned.asked, planned.source),
            )
            with noted() as notes:
                gone = planned.method.forget(
                    planned.model,
                    planned.records,
                    planned.request,
                    seed=seed_for(planned.method, planned.model, order.seed),
                )
                saved = saved_of(gone.model, allow_pickle=order.allow_pickle)
            raw = saved.to_bytes()
            if not run.finished:
                _record(run, planned, gone, names, raw)
            elif run.tables()["forgetting"]["model after"] != [names.file(raw)]:
                run = _written_again(store, run, names.file(raw))
            page = forget_page(run)
            report = order.report or store.reports / f"{run.id}-forget.html"
            write_page(page, report)
            write_whole(order.out, raw, private=True)
            os.chmod(order.out, mode & 0o600)
    except KeyboardInterrupt:
        raise Stopped(
            "stopped before the new model was written; the old one is as it was, and the same "
            "command starts again"
        ) from None
    if json:
        document = {
            **page_json(page),
            "run": run.id,
            "rows": planned.n,
            "notes": [*planned.notes, *notes],
            "written": {"model": str(order.out), "report": str(report)},
        }
        print_json(document)
    else:
        _show(planned, page, run, report, saved)


def _plan(planned: Planned, names: Names) -> dict[str, Any]:
    """Return all that the result depends on; whoever is forgotten stands there by digest."""
    from unteach import __version__
    from unteach.core import read_whole

    order = planned.order
    held = order.holdout
    files = {
        "data": planned.source.name
        if planned.source.bundled
        else names.file(read_whole(order.data))
    }
    if held is not None:
        known = Path(held).suffix.lower() in (".csv", ".parquet")
        files["holdout"] = names.file(read_whole(held)) if known else held
    return {
        "version": [VERSION, __version__],
        "model": names.file(planned.raw_model),
        **files,
        "columns": [
            order.ids_column,
            order.target,
            order.group,
            order.group_is_feature,
            *order.leave_out,
        ],
        "learned": len(planned.records),
        "told by": planned.learned.told_by,
        "rest is holdout": order.rest_is_holdout,
        "forget": sorted(names.record(i) for i in planned.request.ids or ()),
        "method": repr(planned.method)
        if "object at" not in repr(planned.method)
        else type(planned.method).__name__,
        "audits": order.audits,
        "seed": order.seed,
        **({} if order.verify else {"verify": False}),
    }


def _record(run: Run, planned: Planned, gone: Forgotten, names: Names, raw: bytes) -> None:
    """Audit, and store readings and tables, in which nobody is named."""
    audit = _audited(planned, gone) if planned.order.audits else None
    targets = list(planned.request.ids or ())
    records = planned.source.records
    forgetting = Table(
        "forgetting",
        {
            "method": [type(planned.method).__name__],
            "route": [gone.cost.route],
            "claim": [str(gone.claim)],
            "kind": [gone.claim.kind],
            "given": [", ".join(getattr(gone.claim, "given", ()))],
            "what": [planned.what],
            "rows": [len(targets)],
            "learned from": [len(planned.records)],
            "read": [gone.cost.rows_read],
            "took": [gone.cost.seconds],
            "audit": ["not run" if audit is None else audit.validity],
            "model before": [names.file(planned.raw_model)],
            "model after": [names.file(raw)],
            "rows after": [
                rows_after(names, planned.records, targets, type(planned.method).__name__)
            ],
            "told by": [planned.learned.told_by],
        },
        {"took": "seconds", "rows": "rows", "learned from": "rows", "read": "rows"},
    )
    forgotten = Table(
        "forgotten",
        {
            "record": [names.record(i) for i in targets],
            planned.noun: names.of_groups(records, targets),
        },
        keys=("record",),
        caption="named by digests under the project's key; "
        "`unteach purge --forget-names` deletes it",
    )
    tables = [forgetting, forgotten]
    readings: tuple[Reading, ...] = ()
    if audit is not None:
        readings = audit.readings
        tables += [_verdicts(audit), *(names.discreet(t, records) for t in audit.tables)]
    run.finish(readings, tables)


def _audited(planned: Planned, gone: Forgotten) -> Audit:
    """Return the audit, with a line on stderr that says how far it is."""
    from unteach.audit import audit_model

    screen = meanwhile()
    status = (
        screen.status("auditing: retraining without these rows")
        if screen.is_terminal
        else (nullcontext())
    )
    with noted(), status as line:

        def progress(done: int, total: int, what: str) -> None:
            if line is not None:
                line.update(f"auditing: {what} {done} of at most {total}")

        return audit_model(
            planned.model,
            gone,
            planned.records,
            planned.request,
            holdout=planned.holdout,
            seed=planned.order.seed or 0,
            progress=progress,
        )


def _verdicts(audit: Audit) -> Table:
    """Return what each metric allows to be said, and why one could not be read."""
    rows = [(r.name, audit.verdicts.get(r.name, "measured"), r.note) for r in audit.readings]
    none = r"(held-out records and )?\btrial \d+ has (?(1)none|no held-out records)"
    rows += [
        (name, "refused", re.sub(none, "held-out rows: give --holdout", why))
        for name, why in audit.refusals.items()
    ]
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return Table(
        "verdicts",
        {"metric": columns[0], "verdict": columns[1], "why": columns[2]},
        keys=("metric",),
        caption="'cannot tell' is no acquittal: the reading could not have told",
    )


def _written_again(store: Store, run: Run, after: str) -> Run:
    """Return a run with the same results for a file whose bytes differ from those before.

    The project must know every file that it wrote, as it says which rows were forgotten on the
    way to it.
    """
    plan = {**run.plan, "model after": after}
    again = store.begin(plan, name="forget", command=run.command, python=run.python)
    if not again.finished:
        tables = run.tables()
        columns = {**tables["forgetting"].columns, "model after": [after]}
        tables["forgetting"] = Table("forgetting", columns, tables["forgetting"].units)
        again.finish(run.readings(), tables.values())
    return again


def _show(planned: Planned, page: Page, run: Run, report: Path, saved: Saved) -> None:
    from unteach.report import print_page

    screen = answers()
    print_page(page, screen, limit=8)
    verdicts = run.tables().get("verdicts")
    lines = [
        ("written", str(planned.order.out)),
        ("report", str(report)),
        ("run", f"{run.id} in {planned.order.store}"),
    ]
    told = told_otherwise(planned.learned.told_by, planned.source.name, len(planned.learned.rest))
    if told:
        lines.append(("rows", told))
    if verdicts is None:
        lines.append(("silent", "no audit was run (--no-audit)"))
    else:
        names = silent(verdicts)
        names += [
            f"{r['metric']} (cannot tell)" for r in verdicts.rows() if r["verdict"] == "cannot tell"
        ]
        if names:
            lines.append(("silent", f"these audits cannot speak: {', '.join(names)}"))
    near = run.tables().get("near duplicates")
    if near is not None and len(near):
        rows = sorted(set(near["row"]))
        shown = ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")
        lines.append(
            (
                "review",
                f"{counted(len(rows), 'retained near-duplicate')}: row"
                f"{'s' * (len(rows) > 1)} {shown} of {planned.source.name}",
            )
        )
    lines.append(
        (
            "left",
            f"the rows themselves are still in {planned.source.name}, and in the "
            f"old model {planned.order.model}"
            if not planned.order.in_place
            else f"the rows themselves are still in {planned.source.name}",
        )
    )
    if saved.kind == "pickle":
        lines.append(("note", "the new model is a pickle; load it only with --allow-pickle"))
    for label, text in lines:
        print_labelled(screen, label, text, 8)
    screen.print()
