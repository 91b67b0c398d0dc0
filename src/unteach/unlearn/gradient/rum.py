"""RUM: split what is to be forgotten by how much it is memorized, and treat each part by itself."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unteach.core import (
    BadInput,
    Claim,
    Cost,
    Forgotten,
    Heuristic,
    Ids,
    Model,
    NoRoute,
    Records,
    Request,
    Stream,
    derive,
)
from unteach.models import Trace, margins

from .._shared.compiled_bridge import bridged
from .._shared.forget_retain_split import forgettable, settle
from ..controls.do_nothing import DoNothing
from ..selective.salun import SalUn
from ..tuning import likelihoods
from .finetune import FineTune


@dataclass(frozen=True)
class RUM:
    """Order the forgotten records by memorization, cut them into parts, a method for each.

    Parts are forgotten one after the other, the least memorized first, each from the model that
    the last part left; the records of later parts count as kept until their turn comes.

    Claim       Heuristic.
    Parameters  methods : one a part, least memorized first; at least one. `DoNothing()` leaves
                    its part as it is
                scores : id to memorization score, larger is more memorized, for every record
                    that is to be forgotten (see `unteach.memorize`); None takes a proxy, how
                    unsure the model is of the record: minus its margin (of a sequence, exp(-loss))
                cuts : None cuts the request into parts of equal size, by rank; else increasing
                    scores, one fewer than methods: a score at a cut belongs to the part above
    Errors      BadInput when a record has no score; NoRoute for streams and changes, and what
                the methods raise
    Measured    the published gain over each part reproduces in part: on 20 worlds of 1000 digits,
                a tenth mislabelled, a random tenth to go, memorization measured by 400 models,
                everything tuned by 50 draws on 3 others (MLP 64-128-10). Fine-tuning, SalUn and
                NegGrad+ for the thirds have a gap to retraining less by 0.045 [0.033, 0.057],
                0.039 [0.027, 0.051] and 0.013 [0.003, 0.024] than each alone, for 2 to 6 times the
                gradients; the tug of war (ToW), the authors' measure, is better than the first
                two's by 0.023 and 0.053 and than NegGrad+'s by -0.002 [-0.015, 0.010]. Their
                example is nearer than its parts by 0.020 and 0.013, with a ToW worse than
                fine-tuning's by 0.022 [0.011, 0.032]. The same method for each part (NegGrad+
                thrice) gains nothing: 0.000 [-0.012, 0.012]. These are 24 intervals, not
                adjusted (`benchmarks/bench_published.py`).
    Defaults    the authors' example, with the parts' own. Their parameters were also drawn
                jointly, 50 times on 3 worlds as above: without scores the best (0.289, standard
                error 0.010) is no nearer than the parts' own, whose gap to retraining on 3 worlds
                of 1000 digits, a tenth mislabelled, half of the forgotten so, is 0.270 (0.011);
                doing nothing 0.554, another retraining 0.104

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import Layers, Network
    >>> rows = load("digits").take(range(200))
    >>> model = Network(module=Layers((64, 16, 10)), epochs=5, lr=0.01).learn(rows, seed=0)
    >>> held = RUM(scores={3: 0.9, 4: 0.1, 5: 0.0}, cuts=(0.3, 0.7))
    >>> [part.tolist() for part in held.parts(model, rows, Request(ids=[3, 4, 5]))]
    [[4, 5], [], [3]]

    Source      Zhao et al. 2024 (NeurIPS), section 5; the default methods are their example
                (nothing, fine-tuning, SalUn). We differ: cuts by rank unless scores are given
                with cuts; the proxy is of the model alone, where theirs are of its training.
    """

    methods: tuple[Any, ...] = (DoNothing(), FineTune(), SalUn())
    scores: Mapping[Any, float] | None = None
    cuts: tuple[float, ...] | None = None

    needs: ClassVar[str] = "trainable"
    because: ClassVar[str] = "what its parts' methods claim does not add up to a bound"

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", tuple(self.methods))
        if not self.methods or not all(callable(getattr(m, "forget", None)) for m in self.methods):
            raise BadInput(f"methods are one or more objects with forget, got {self.methods!r}")
        if self.cuts is None:
            return
        object.__setattr__(self, "cuts", tuple(float(c) for c in self.cuts))
        if self.scores is None or len(self.cuts) != len(self.methods) - 1:
            raise BadInput("cuts are scores, one fewer than methods, and need scores=")
        if list(self.cuts) != sorted(self.cuts):
            raise BadInput(f"cuts increase, got {self.cuts}")

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        self._refuse(model, records, request)
        return Heuristic(self.because)

    def parts(self, model: Model, records: Records, request: Request) -> list[Ids]:
        """Return the ids of each part, in the order of the methods."""
        targets = request.targets(records)
        score = self._scores(model, records, targets)
        if self.cuts is not None:
            which = np.searchsorted(self.cuts, score, side="right")
        else:
            rank = np.argsort(np.argsort(score, kind="stable"), kind="stable")
            which = rank * len(self.methods) // max(len(targets), 1)
            which += len(self.methods) - 1 - (which.max() if len(which) else 0)
        return [targets[which == k] for k in range(len(self.methods))]

    @bridged
    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Return the model after every part; the model that was given stays as it is."""
        claim = Heuristic(self.because)
        if not self._refuse(model, records, request):
            return Forgotten(model, claim, Cost(route="nothing to forget"))
        after: Any = model
        left, cost = records, Cost()
        parts = self.parts(model, records, request)
        for k, (method, ids) in enumerate(zip(self.methods, parts, strict=True)):
            if not len(ids):
                continue
            part = Request(ids=ids.tolist())
            if isinstance(method, DoNothing):
                after = copy.deepcopy(after)
                settle(after, Trace(()), left, part)
            else:
                gone = method.forget(after, left, part, seed=derive(seed, "part", k))
                after, cost = gone.model, cost + gone.cost
            left = part.applied_to(left)
        sizes = ", ".join(
            f"{len(p)} by {type(m).__name__}" for m, p in zip(self.methods, parts, strict=True)
        )
        spent = Cost(cost.seconds, cost.cpu_seconds, cost.rows_read, sizes, cost.gradients)
        return Forgotten(after, claim, spent)

    def _refuse(self, model: Any, records: Any, request: Request) -> bool:
        if isinstance(records, Stream) or request.replace is not None:
            raise NoRoute("RUM splits stored records that are to be forgotten, and nothing else")
        return forgettable("RUM", model, records, request)

    def _scores(self, model: Any, records: Records, targets: Ids) -> Any:
        if self.scores is None:
            some: Any = records.select(targets)
            if getattr(model, "loss", "") == "next_token":
                return -likelihoods(model, some) if len(targets) else np.zeros(0)
            return -margins(model, some.x, np.asarray(some.y)) if len(targets) else np.zeros(0)
        missing = [i for i in targets.tolist() if i not in self.scores]
        if missing:
            raise BadInput(
                f"{len(missing)} records to be forgotten have no memorization score, such as "
                f"{missing[0]!r}; score them first (unteach.memorize)"
            )
        return np.array([float(self.scores[i]) for i in targets.tolist()])
