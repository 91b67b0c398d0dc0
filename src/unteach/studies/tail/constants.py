"""One task: Feldman's constants for a prior, by simulation and in closed form."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from unteach.core import derive
from unteach.data import frequencies
from unteach.memorize.feldman import singletons

PRIORS = (
    {"label": "Zipf, 50,000 subpopulations", "subpopulations": 50_000, "exponent": 1.0,
     "n": 50_000},
    {"label": "uniform, 2,000 subpopulations", "subpopulations": 2000, "exponent": 0.0, "n": 2000},
    {"label": "short tail, 500 of 20,000 records", "subpopulations": 500, "exponent": 0.0,
     "n": 20_000},
)  # fmt: skip


def constants_task(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the constants as plain values; those that do not exist are None.

    payload : {"prior": one of PRIORS, "draws", "seed"}
    """
    prior = payload["prior"]
    found = singletons(
        lambda rng: frequencies(prior["subpopulations"], prior["exponent"], rng),
        prior["n"],
        draws=payload["draws"],
        seed=derive(payload["seed"], "tail", "constants"),
    )
    values = {k: v if v == v else None for k, v in asdict(found).items()}  # nan is no JSON
    return {"prior": prior["label"], "n": prior["n"], **values}
