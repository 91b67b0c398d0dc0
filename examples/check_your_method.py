"""Hold a method of your own to the laws: one that is right, and one that only looks right."""

from dataclasses import dataclass

from unteach.checks import LawBroken, check_method
from unteach.core import Exact, Forgotten, Request, Stopwatch
from unteach.models import learner_of


@dataclass(frozen=True)
class MyRetraining:
    """Retrain on what is left."""

    def forget(self, model, records, request, *, seed):
        if len(request.targets(records)) == 0:
            return Forgotten(model, Exact(0.0))
        with Stopwatch() as watch:
            after = learner_of(model).learn(request.applied_to(records), seed=seed)
        return Forgotten(after, Exact(0.0), watch.cost())


@dataclass(frozen=True)
class ForgetsHalf(MyRetraining):
    """Forgets every other record of the request."""

    def forget(self, model, records, request, *, seed):
        targets = request.targets(records)
        return super().forget(model, records, Request(ids=targets[::2]), seed=seed)


print(f"MyRetraining holds {len(check_method(MyRetraining()))} laws")
try:
    check_method(ForgetsHalf())
except LawBroken as error:
    print(str(error).splitlines()[0])
    print("  " + "\n  ".join(line.split(":")[0] for line in str(error).splitlines()[1:]))
