"""What methods cost beside what they leave, and the card that says it all in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from unteach.core import BadInput, Table
from unteach.stats import mean_interval

from .relearn import relearn_curve

if TYPE_CHECKING:
    from .report import AuditReport, MethodAudit

RELEARNING, CERTIFICATE = "relearning", "certificate"
NEGLIGIBLE = 1e-6  # share of a budget below which nothing is drawn on a logarithmic axis


def costs(report: AuditReport) -> Table:
    """Return one row a method whose forgetting was timed: seconds, excess area, utility lost.

    `share` is of a retraining's seconds, where the audit trained its models itself.
    """
    from .figured import ordered, table
    from .report import changes

    full = _retraining(report)
    rows = []
    for m in ordered(report):
        seconds = _seconds(m)
        if m.judgement is None or seconds is None:
            continue
        area, lost = m.tests["all"].area, changes(m).get("holdout")
        null = report.methods[m.poles[1]].tests["all"].null
        rows.append(
            (
                m.name,
                seconds,
                None if full is None else seconds / full,
                area.value - 0.5,
                area.low - 0.5,
                area.high - 0.5,
                None if lost is None else max(0.0, -lost.value),
                null[0] - 0.5,
                null[1] - 0.5,
            )
        )
    names = (
        "method",
        "seconds",
        "share",
        "excess area",
        "low",
        "high",
        "utility lost",
        "null low",
        "null high",
    )
    return table(
        "cost and area",
        names,
        rows,
        ("method",),
        "Median seconds of one forgetting (measured, outside the promise of equal bytes); "
        "area above chance; held-out accuracy below retraining's.",
        {"seconds": "s", "share": "share of seconds", "utility lost": "share"},
    )


def cards(report: AuditReport) -> Table:
    """Return one row a method: verdict, with what it was compared, how sure, cost, not tested."""
    from .figured import ordered, table

    shown = {t.name for t in report.more}
    rest = ["attacks on weights or on stored state", "adaptive attacks"]
    rest += [] if RELEARNING in shown else ["relearning"]
    rows = []
    for m in ordered(report):
        if m.judgement is None:
            continue
        area, arms, full = m.tests["all"].area, m.arms, _retraining(report)
        null = report.methods[m.poles[1]].tests["all"].null
        records = len(arms.named())
        seconds = _seconds(m)
        took = "not measured"
        if seconds is not None:
            share = "" if full is None else f", {seconds / full:.2g} of a retraining"
            took = f"{seconds:.2g} s a forgetting{share}; tuning and audit not counted"
        rows.append(
            (
                m.name,
                m.judgement.kind,
                m.judgement.text,
                f"{len(arms.retrained)} models retrained without the {records} records, fresh "
                "seeds; "
                f"{len(arms.unlearned)} unlearned, each from its own original",
                f"area {area.value:.3f} [{area.low:.3f}, {area.high:.3f}] at {area.level:.0%}; "
                f"retraining scores {null[0]:.3f} to {null[1]:.3f}; adjusted p "
                f"{_p(m.judgement.p_value)}{_certified(m)}".replace("%", " %"),
                took,
                ", ".join(rest),
            )
        )
    names = ("method", "verdict", "said", "compared with", "confidence", "cost", "not tested")
    return table(
        "verdict cards", names, rows, ("method",), report.validity, {"cost": "seconds"}
    )  # measured


def relearn_table(curves: Mapping[str, Any], retrained: Any) -> Table:
    """Return relearning curves as a table that a report can draw, over the retrained band.

    Parameters
    ----------
    curves : name -> (N, steps + 1) accuracies on forgotten records that are not relearned from
    retrained : (M, steps + 1) the same of models that never saw them

    Examples
    --------
    >>> t = relearn_table({"neggrad+": [[0.0, 1.0], [0.2, 1.0]]}, [[0.0, 0.5], [0.1, 0.5]])
    >>> len(t), t["accuracy"][:2]
    (2, [0.1, 1.0])
    """
    again, _ = relearn_curve(retrained)  # (steps + 1,)
    band = [
        mean_interval(column, unit_of_replication="models")
        for column in np.asarray(retrained, dtype=np.float64).T
    ]
    columns: dict[str, list[Any]] = {
        c: []
        for c in ("models", "step", "accuracy", "low", "high", "retrained", "null low", "null high")
    }
    for name, rows in curves.items():
        mean, _ = relearn_curve(rows)
        if len(mean) != len(again):
            raise BadInput(
                f"{name} relearns for {len(mean) - 1} steps and the retrained models "
                f"for {len(again) - 1}; all are asked after the same steps"
            )
        for step, column in enumerate(np.asarray(rows, dtype=np.float64).T):
            found = mean_interval(column, unit_of_replication="models")
            values = (
                name,
                step,
                found.value,
                found.low,
                found.high,
                float(again[step]),
                band[step].low,
                band[step].high,
            )
            for c, v in zip(columns, values, strict=True):
                columns[c].append(v)
    units = dict.fromkeys(
        ("accuracy", "low", "high", "retrained", "null low", "null high"), "share"
    )
    return Table(
        RELEARNING,
        columns,
        units,
        ("models", "step"),
        "Accuracy on forgotten records that are not relearned from; 95 % over models.",
    )


def certificate_table(ledger: Any) -> Table:
    """Return how a certificate's budget burns down, request by request.

    Parameters
    ----------
    ledger : `model.ledger_`, with `budget` and `entries`, each with `what`, `records`, `bound`
        and `residual`

    Examples
    --------
    >>> from types import SimpleNamespace as Of
    >>> entry = Of(what="forget", records=3, bound=0.5, residual=0.01)
    >>> table = certificate_table(Of(budget=2.0, entries=(entry, entry)))
    >>> table.where(account="bound, added up")["value"]
    [0.5, 1.0]
    """
    entries = list(ledger.entries)
    budget = float(ledger.budget)
    if not entries or not budget > 0:
        raise BadInput(
            "this ledger has no entries, or no budget (learned without noise); there "
            "is nothing to draw"
        )
    spent = np.cumsum([float(e.bound) for e in entries]).tolist()
    gone = np.cumsum([int(e.records) if e.what == "forget" else 0 for e in entries]).tolist()
    exact = [float(e.residual) for e in entries]
    columns = {
        "operation": list(range(len(entries))) * 2,
        "what": [e.what for e in entries] * 2,
        "forgotten": gone * 2,
        "account": ["bound, added up"] * len(entries) + ["residual as it is"] * len(entries),
        "value": spent + exact,
        "budget": [budget] * (2 * len(entries)),
        "drawn": [v > NEGLIGIBLE * budget for v in spent + exact],
    }
    return Table(
        CERTIFICATE,
        columns,
        {"value": "residual", "budget": "residual"},
        ("operation", "account"),
        "the bound is spent and never refunded; the residual is exact, and a diagnostic",
    )


def _seconds(m: MethodAudit) -> float | None:
    taken = [float(c[0].seconds) for c in m.costs]
    middle = float(np.median(taken)) if taken else 0.0
    return middle if middle > 0 else None


def _certified(m: MethodAudit) -> str:
    """Return whether the attack refutes the certificate, where there is one."""
    ceiling = m.ceiling()
    if ceiling is None:
        return ""
    found = "refutes it" if m.tests["all"].area.low > ceiling else "does not refute it"
    return f"; the certificate allows an area of {ceiling:.3f} at most, and the attack {found}"


def _retraining(report: AuditReport) -> float | None:
    """Return the seconds of a retraining, as the audit billed it."""
    for bill in report.bills:
        if bill.name == "costs" and "retrain" in bill["method"]:
            return float(bill.where(method="retrain")["seconds"][0])
    return None


def _p(value: float | None) -> str:
    if value is None:
        return "not tested"
    return "below 0.001" if value < 0.001 else f"{value:.3f}"
