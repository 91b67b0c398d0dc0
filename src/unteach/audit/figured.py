"""The tables that the figures of an audit draw: nothing is computed where it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import Table

from .arms import Array

if TYPE_CHECKING:
    from .report import AuditReport, MethodAudit

VERDICTS = (
    "method",
    "stratum",
    "verdict",
    "area",
    "low",
    "high",
    "p",
    "detectable",
    "residual side",
    "share near",
)
"""The columns of the table of verdicts, in the order in which they are shown."""

YARDSTICKS = (
    "method",
    "forget accuracy",
    "retain accuracy",
    "holdout accuracy",
    "holdout log loss",
    "tow",
    "population area",
    "ulira area",
    "klom median",
    "neurips score",
    "share flagged",
    "largest epsilon",
    "epsilon limit",
)
"""Those of the table of definitions."""

WINDOW = (-1.5, 2.5)  # of residual fractions that are drawn
BINS = 20
ARMS = ("original", "retrained", "unlearned")


def figured(report: AuditReport) -> tuple[Table, ...]:
    """Return the tables of all figures that this audit can draw; none of a mere screen."""
    from .costed import cards, costs
    from .roc import roc

    if not any(m.tests for m in report.methods.values()):
        return report.more
    tables = [
        areas(report),
        bounds(report),
        *residuals(report),
        margins(report),
        roc(report),
        costs(report),
        cards(report),
    ]
    return (*(t for t in tables if len(t)), *report.more)


def ordered(report: AuditReport) -> list[MethodAudit]:
    """Return the control that retrains, the methods by their area, the one that does nothing."""
    tested = [m for m in report.methods.values() if m.tests]

    def place(m: MethodAudit) -> tuple[int, float]:
        end = 0 if m.judgement is not None else -1 if m.name == m.poles[1] else 1
        return end, m.tests["all"].area.value

    return sorted(tested, key=place)


def areas(report: AuditReport) -> Table:
    """Return one row a stratum and method: its area, and the null of retraining."""
    rows = []
    tested = ordered(report)
    for stratum in dict.fromkeys(s for m in tested for s in m.tests):
        for m in (m for m in tested if stratum in m.tests):
            area, null = m.tests[stratum].area, report.methods[m.poles[1]].tests[stratum].null
            rows.append(
                (
                    stratum,
                    m.name,
                    "control" if m.judgement is None else m.judgement.kind,
                    area.value,
                    area.low,
                    area.high,
                    *null,
                    0.5 - report.margin,
                    0.5 + report.margin,
                )
            )
    names = (
        "stratum",
        "method",
        "verdict",
        "area",
        "low",
        "high",
        "null low",
        "null high",
        "margin low",
        "margin high",
    )
    return table(
        "areas",
        names,
        rows,
        ("stratum", "method"),
        "Area under the curve of the per-example attack with its 90 % interval; null: "
        "the middle 95 % of retraining against retraining.",
    )


def bounds(report: AuditReport) -> Table:
    """Return one row a method and forgotten record: epsilon's bound, and what was memorized."""
    rows = []
    for m in reversed(ordered(report)):
        found, arms = m.bounds(), m.arms
        mark = arms.margins("original").mean(axis=0) - arms.margins("retrained").mean(axis=0)
        rows += [
            (m.name, i, e, h, found.limit)
            for i, e, h in zip(
                arms.named().tolist(), found.low.tolist(), mark.tolist(), strict=True
            )
        ]
    return table(
        "epsilon by record",
        ("method", "id", "epsilon", "memorized", "limit"),
        rows,
        ("method", "id"),
        "Lower bounds on epsilon, each at 95 %; memorized: by how much the mean margin of "
        "the originals exceeds that of retrained models.",
    )


def residuals(report: AuditReport) -> tuple[Table, Table, Table]:
    """Return residual fractions by record, their density, and their quartiles."""
    rows: list[tuple[Any, ...]] = []
    clouds: list[tuple[Any, ...]] = []
    spread: list[tuple[Any, ...]] = []
    grid = np.linspace(*WINDOW, 161)
    for m in ordered(report):
        if m.fractions is None:
            continue
        rho = m.fractions.rho
        rows += [
            (m.name, i, None if np.isnan(v) else v)
            for i, v in zip(m.arms.named().tolist(), rho.tolist(), strict=True)
        ]
        kept = rho[np.isfinite(rho)]
        clouds += [
            (m.name, x, d) for x, d in zip(grid.tolist(), density(kept, grid).tolist(), strict=True)
        ]
        low, middle, high = np.quantile(kept, [0.25, 0.5, 0.75]).tolist()
        note = f"{len(kept)} of {len(rho)}, {m.fractions.near:.0%} near 0".replace("%", " %")
        spread.append((m.name, low, middle, high, note))
    return (
        table(
            "residual fractions",
            ("method", "id", "rho"),
            rows,
            ("method", "id"),
            "1: nothing was forgotten, 0: as retrained; missing where no mark was left.",
        ),
        table(
            "residual fractions, density",
            ("method", "rho", "density"),
            clouds,
            ("method", "rho"),
            "Gaussian kernel, Silverman's width, at least 0.04.",
        ),
        table(
            "residual fractions, spread",
            ("method", "low", "middle", "high", "note"),
            spread,
            ("method",),
            "Quartiles over the measurable records.",
        ),
    )


def density(values: Array, grid: Array) -> Array:
    """Return a density of values on a grid; Silverman's width, and never narrower than 0.04.

    >>> density(np.ones(3), np.array([1.0])).round(2)
    array([9.97])
    """
    iqr = float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / 1.34
    wide = min(float(values.std()), iqr) if iqr > 0 else float(values.std())
    h = max(0.9 * wide * len(values) ** -0.2, 0.04)
    z = (grid[:, None] - values) / h  # (grid, n)
    return np.asarray(np.exp(-0.5 * z**2).mean(axis=1) / (h * np.sqrt(2 * np.pi)))


def margins(report: AuditReport) -> Table:
    """Return histograms of margins of four telling records a method, in all three arms."""
    rows: list[tuple[Any, ...]] = []
    for m in report.methods.values():
        if m.judgement is None or not m.tests:
            continue
        said = {a: m.arms.margins(a) for a in ARMS}
        bins = int(np.clip(2.5 * np.sqrt(len(said["unlearned"])), 8, BINS))
        found, by_record = m.bounds(), m.tests["all"].by_example
        for at, why in telling(said["unlearned"], said["retrained"], said["original"]):
            both = np.concatenate([s[:, at] for s in said.values()])
            low, high = float(both.min()), float(both.max())
            edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
            name = m.arms.named()[at]
            numbers = f"area {by_record[at]:.2f}, ε ≥ {found.low[at]:.2f}"
            for arm in ARMS:
                share = np.histogram(said[arm][:, at], edges)[0] / len(said[arm])
                rows += [
                    (m.name, name, why, numbers, arm, a, b, s)
                    for a, b, s in zip(
                        edges[:-1].tolist(), edges[1:].tolist(), share.tolist(), strict=True
                    )
                ]
    names = ("method", "id", "why", "found", "arm", "left", "right", "share")
    return table(
        "margins of four records",
        names,
        rows,
        ("method", "id", "arm", "left"),
        "Bins of one width between the smallest and the largest margin of a record.",
    )


def telling(unlearned: Array, retrained: Array, original: Array) -> Iterator[tuple[int, str]]:
    """Yield four records, or as many as there are, and why each is shown."""
    r = retrained.mean(axis=0)
    mark = original.mean(axis=0) - r
    spread = retrained.std(axis=0) + 1e-12
    left = (unlearned.mean(axis=0) - r) / spread * np.where(mark < 0, -1, 1)
    free = np.ones(len(mark), dtype=bool)

    def take(score: NDArray[np.float64]) -> int:
        at = int(np.argmax(np.where(free, score, -np.inf)))
        free[at] = False
        return at

    order = [
        (mark / spread, "most memorized"),
        (left, "most is left"),
        (-left, "most overshot"),
        (-np.abs(mark) / spread, "hardly memorized"),
    ]
    for score, why in order:
        if not free.any():
            return
        if why == "most overshot" and float(np.min(left[free])) > -0.5:
            score, why = -np.abs(left), "nearest to retraining"
        yield take(score), why


def table(
    name: str,
    names: tuple[str, ...],
    rows: list[tuple[Any, ...]],
    keys: tuple[str, ...],
    caption: str,
    units: dict[str, str] | None = None,
) -> Table:
    """Return rows as a table."""
    columns = {n: [row[k] for row in rows] for k, n in enumerate(names)}
    return Table(name, columns, units or {}, keys, caption)
