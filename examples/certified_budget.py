"""A certificate is a budget: watch it being spent, request by request, until it is refused."""

from unteach.core import BudgetSpent, Request
from unteach.data import load
from unteach.unlearn import Newton

rows = load("breast_cancer")
method = Newton(epsilon=1.0, delta=1e-4, sigma=8.0, penalty=1e-2)
model, left = method.prepare().learn(rows, seed=0), rows

try:
    for k in range(0, 400, 10):
        request = Request(ids=left.ids[:10])
        model = method.forget(model, left, request, seed=0).model
        left = request.applied_to(left)
        spent = model.ledger_.spent / model.ledger_.budget
        print(f"{k + 10:4d} forgotten  {'#' * round(40 * spent):40s} {spent:6.1%} of the budget")
except BudgetSpent as refusal:
    print(refusal)
