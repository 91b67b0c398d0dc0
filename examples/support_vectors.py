"""A kernel machine forgets: a point that is no support vector, then one that is."""

import numpy as np

from unteach.data import load
from unteach.kernel import SVC

rows = load("moons", n=200, noise=0.25, seed=0)
x, y = rows.x, rows.y
model = SVC(kernel="rbf", C=1.0, gamma=1.0).fit(x, y)
other = np.setdiff1d(model.sample_ids_, model.support_ids_)[0]
support = model.support_ids_[0]

before = model.decision_function(x)
for name, identifier in (("no support vector", other), ("a support vector", support)):
    after = model.without([identifier])
    shift = np.abs(after.decision_function(x) - before).max()
    fresh = SVC(kernel="rbf", C=1.0, gamma=1.0).fit(
        np.delete(x, identifier, 0), np.delete(y, identifier)
    )
    gap = np.abs(after.decision_function(x) - fresh.decision_function(x)).max()
    print(f"forget {name}: the scores shift by {shift:.3g}; retraining differs by {gap:.1g}")

print(after.certificate_)
print(after.claim_)
