"""Rewind-to-delete: go back to an earlier point of the training, and go on without the records."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

from unteach.core import BadInput, NoRoute, Records, derive
from unteach.models import Trace, Training

from .._shared.forget_retain_split import Sides
from .._shared.network_method import OnACopy

_KEPT = "rewind_"


@dataclass(frozen=True)
class Rewinding:
    """The recipe: a network's own, which also keeps the parameters of an earlier point."""

    base: Any
    share: float

    @property
    def task(self) -> str:
        """What its models answer with."""
        return str(self.base.task)

    def learn(self, records: Records, *, seed: int) -> Any:
        """Return the model that the recipe makes, with a point to go back to.

        The training is the base's own, byte for byte. The first `share` of its steps is taken
        twice, since what they lead to is found by a training that ends there.
        """
        from unteach.models import tensors_of

        whole = self.base.learn(records, seed=seed)
        done = max(1, round(self.share * whole.trace_.steps))
        early = copy.deepcopy(self.base)
        object.__setattr__(early, "how", Training.of(self.base.how, {"steps": done}))
        part = early.learn(records, seed=seed)
        kept = {name: t.clone() for name, t in tensors_of(part).items()}
        setattr(whole, _KEPT, (done, whole.trace_.steps, kept))
        return whole


@dataclass(frozen=True)
class Rewind(OnACopy):
    """Put back the parameters of an earlier point of training, and train on without the records.

    The steps that were taken since are taken again, on what is kept. Models must be learned by
    `prepare(learner)`, which keeps the point; it is lost when a model is saved.

    Claim       Heuristic: the earlier point has seen the records too, and the published bound
                asks for full gradients, smoothness and noise, which are not tested here.
    Parameters  back : in (0, 1), the share of the training that is taken back
                base : the network to learn with; None takes the one handed to `prepare`
    Errors      NoRoute for models that hold no earlier point, streams, schedules that need the
                end of a training
    Measured    on 3 worlds of 400 digits with a tenth of the labels wrong (MLP 64-64-10):
                as published, the further back the nearer to retraining: gaps of .17, .17, .15 for
                back=.2, .13, .11, .09 for .5 and .09, .10, .08 for .8.
    Defaults    a price, not an optimum: on 3 worlds of 1000 digits, a tenth mislabelled (MLP
                64-128-10), the gap to retraining is 0.141 for 0.47 of its time (back=.5) and
                0.122 for 0.62 (back=.65). On 3 others it is 0.144 (standard error 0.012) for the
                default; doing nothing 0.554, another retraining 0.104

    Examples
    --------
    >>> from unteach.core import Request
    >>> from unteach.data import load
    >>> from unteach.models import Layers, Network
    >>> rows, method = load("digits").take(range(200)), Rewind(back=0.5)
    >>> net = method.prepare(Network(module=Layers((64, 16, 10)), epochs=4))
    >>> gone = method.forget(net.learn(rows, seed=0), rows, Request(ids=[3]), seed=0)
    >>> gone.cost.route
    'back to step 8 of 16, and 8 steps on'

    Source      Mu and Klabjan 2024, "Rewind-to-delete". We differ: mini-batches, no noise.
    """

    back: float = 0.5
    base: Any = None

    because: ClassVar[str] = "the point gone back to has seen the records"

    def __post_init__(self) -> None:
        if not 0 < self.back < 1:
            raise BadInput(f"back lies between 0 and 1, got {self.back!r}")

    def prepare(self, learner: Any = None) -> Rewinding:
        """Return the learner whose models this method can forget from."""
        base = learner if learner is not None else self.base
        how = getattr(base, "how", None)
        if how is None or getattr(base, "train", None) is not None:
            raise NoRoute("Rewind takes a unteach.models.Network, trained by the project's loop")
        if how.schedule != "constant":
            raise NoRoute(f"a {how.schedule} schedule has no earlier point that is like the end")
        return Rewinding(base, 1 - self.back)

    def _change(self, after: Any, sides: Sides, seed: int) -> tuple[Trace, str]:
        from unteach.models import fit, put_back

        point = getattr(after, _KEPT, None)
        if point is None:
            raise NoRoute(
                "this model holds no earlier point; learn it with Rewind(...).prepare(learner)"
            )
        at, end, kept = point
        put_back(after, kept)
        delattr(after, _KEPT)  # it has seen what is to be forgotten
        how = Training.of(after.how, {"steps": max(1, end - at)})
        done = fit(
            after,
            lambda rng: after.batches(sides.retain, rng),
            after.mean_loss,
            how,
            seed=derive(seed, "forget"),
        )
        return done, f"back to step {at} of {end}, and {done.steps} steps on"
