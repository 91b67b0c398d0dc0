"""The operating curve of the per-example attack, down to few false alarms, with its band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unteach.core import Table, derive, stream

from .arms import Array, two_arms
from .ulira import OWN_VARIANCE, density_ratio

if TYPE_CHECKING:
    from .report import AuditReport

POINTS = 33
DRAWS = 100


def operating_curve(
    unlearned: Array, retrained: Array, *, seed: int = 0, draws: int = DRAWS
) -> tuple[Array, Array, Array, Array]:
    """Return false-alarm rates, hit rates, and the ends of their 95 % intervals: (p,) each.

    The attack is that of `ulira`: densities fitted on half of the models score the other half;
    the curves of both halves are averaged. Rates count pairs of a model and a record, and reach
    down to one retrained pair. The band resamples models and records, both, by percentiles.

    Parameters
    ----------
    unlearned, retrained : (N, n), (M, n) margins, at least 4 models each
    draws : of the bootstrap, at least 20

    Examples
    --------
    >>> rng = stream(0)
    >>> false, hit, low, high = operating_curve(rng.normal(9, 1, (8, 5)), rng.normal(0, 1, (8, 5)))
    >>> bool(hit.min() == 1.0), round(float(false[0]), 3)
    (True, 0.05)
    """
    u, r = two_arms(unlearned, retrained, least=4)
    own = min(len(u), len(r)) // 2 >= OWN_VARIANCE
    rng = stream(seed, "operating curve")
    n = u.shape[1]
    false = np.geomspace(1.0 / (len(r) // 2 * n), 1.0, POINTS)
    curves = np.empty((2, draws + 1, POINTS))
    for half in (0, 1):
        ratio = density_ratio(u[1 - half :: 2], r[1 - half :: 2], own)
        su, sr = ratio(u[half::2]), ratio(r[half::2])
        order = np.argsort(-np.concatenate([su.ravel(), sr.ravel()]), kind="stable")
        everything = np.concatenate([su.ravel(), sr.ravel()])[order]
        last = np.append(np.diff(everything) != 0, True)  # equal scores are passed together
        for b in range(draws + 1):
            records = _drawn(rng, n) if b else np.ones(n)
            wu = np.outer(_drawn(rng, len(su)) if b else np.ones(len(su)), records)
            wr = np.outer(_drawn(rng, len(sr)) if b else np.ones(len(sr)), records)
            above_u = np.cumsum(np.concatenate([wu.ravel(), np.zeros(sr.size)])[order])[last]
            above_r = np.cumsum(np.concatenate([np.zeros(su.size), wr.ravel()])[order])[last]
            x = np.concatenate([[0.0], above_r / above_r[-1]])
            y = np.concatenate([[0.0], above_u / above_u[-1]])
            at = np.searchsorted(x, false + 1e-12, side="right") - 1  # never more than allowed
            curves[half, b] = y[at]
    mean = curves.mean(axis=0)  # (draws + 1, p)
    low, high = np.quantile(mean[1:], [0.025, 0.975], axis=0)
    return false, mean[0], np.minimum(low, mean[0]), np.maximum(high, mean[0])


def _drawn(rng: np.random.Generator, n: int) -> Array:
    """Return how often each of n is drawn in n draws."""
    return rng.multinomial(n, np.full(n, 1 / n)).astype(np.float64)


def roc(report: AuditReport) -> Table:
    """Return the operating curve of every method and control, one row a point."""
    columns: dict[str, list[object]] = {c: [] for c in ("method", "false", "hit", "low", "high")}
    for m in report.methods.values():
        if not m.tests:
            continue
        found = operating_curve(
            m.arms.margins("unlearned"),
            m.arms.margins("retrained"),
            seed=derive(report.seed, "roc", m.name),
        )
        columns["method"] += [m.name] * POINTS
        for name, values in zip(("false", "hit", "low", "high"), found, strict=True):
            columns[name] += values.tolist()
    units = dict.fromkeys(("false", "hit", "low", "high"), "share")
    return Table(
        "operating curves",
        columns,
        units,
        ("method", "false"),
        "Hits and false alarms of the per-example attack over models and records; band: "
        f"95 %, {DRAWS} resamples of models and records.",
    )
