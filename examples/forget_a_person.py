"""A person asks to be forgotten: all their rows go, and an audit compares with retraining."""

import numpy as np

import unteach
from unteach.audit import audit_model, near_duplicates
from unteach.core import Request
from unteach.data import load, rows, split
from unteach.models import Logistic, Pipeline, Scaler

whole = load("breast_cancer")
people = np.repeat(np.arange(190), 3)[: len(whole)]  # three visits a person
records = rows(whole.x, whole.y, ids=whole.ids, groups=people)
parts = split(records, holdout=0.3, seed=0)

model = unteach.learn(Pipeline([("scale", Scaler()), ("classify", Logistic())]), parts.train)
person = parts.train.groups[0]
gone = unteach.forget(model, parts.train, groups=[person])
print(f"{gone.claim}; {gone.cost.seconds:.3f} s by {gone.cost.route}")

request = Request(groups=[person])
found = audit_model(model, gone, parts.train, request, holdout=parts.holdout, seed=0)
for reading in found.readings:
    print(reading)
for name, reason in found.refusals.items():
    print(f"{name}: no reading, since {reason}")

forget = parts.train.select(request.targets(parts.train))
print(f"{len(near_duplicates(forget, request.applied_to(parts.train)))} retained near-duplicates")
