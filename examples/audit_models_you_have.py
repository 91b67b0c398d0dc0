"""Audit models that exist already, from their files: originals, retrained and unlearned ones."""

import tempfile
from pathlib import Path

import numpy as np

from unteach.audit import Arms, audit_arms
from unteach.data import load, rows
from unteach.models import Logistic

whole = load("breast_cancer")
labels = np.where(np.arange(len(whole)) < 30, 1 - whole.y, whole.y)  # thirty wrong labels
scaled = rows(whole.x / whole.x.max(axis=0), labels)
records, holdout = scaled.take(np.arange(400)), scaled.take(np.arange(400, len(whole)))
gone = records.ids[:30]
folder = Path(tempfile.mkdtemp())

# stands in for models of yours: each learned from a draw of the data
for k in range(24):
    draw = np.random.default_rng(k).choice(np.arange(30, 400), 200, replace=False)
    for arm, at in (
        ("original", np.r_[0:30, draw]),
        ("halfway", np.r_[0:15, draw]),
        ("retrained", draw),
    ):
        model = Logistic(C=100.0).fit(records.x[at], records.y[at])
        model.save(folder / f"{arm}-{k}.unteach")

arms = Arms.load(
    folder / "original-*",
    folder / "retrained-*",
    unlearned=folder / "halfway-*",
    records=records,
    forget=gone,
    holdout=holdout,
)
print(f"{len(arms.original)} originals, {len(arms.retrained)} retrained, {len(arms.twin)} more")
report = audit_arms(arms, {"halfway": arms.unlearned, "nothing": arms.original}, permutations=99)
print(report)
