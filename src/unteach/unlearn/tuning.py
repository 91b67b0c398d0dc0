"""Tuning: choose hyper-parameters on a forgetting of one's own, never on the audited one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import (
    BadInput,
    Claim,
    Cost,
    Diverged,
    Forgotten,
    Heuristic,
    Ids,
    Model,
    NoRoute,
    NothingLeft,
    Progress,
    Records,
    Request,
    Rows,
    Stopwatch,
    Table,
    Trainable,
    derive,
    stream,
)
from unteach.models import CNN, MLP, as_learner, as_trainable, keeping_classes

# Where `tune` looks for hyper-parameters: a range for each name that methods use.


@dataclass(frozen=True)
class Between:
    """A range to draw from: evenly, evenly in the logarithm, or whole numbers.

    >>> Between(1e-4, 1e-2, log=True).draw(np.random.default_rng(0)) < 1e-2
    True
    >>> Between(1, 3, whole=True).draw(np.random.default_rng(0)) in (1, 2, 3)
    True
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.high or (self.log and self.low <= 0):
            raise BadInput(f"a range goes up, from above 0 if log, got {self.low} to {self.high}")

    def draw(self, rng: np.random.Generator) -> float | int:
        """Return one value of the range."""
        if self.log:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = float(rng.uniform(self.low, self.high + (1 if self.whole else 0)))
        return min(int(value), int(self.high)) if self.whole else value


SPACE: Mapping[str, Between] = {
    "lr": Between(1e-4, 5e-2, log=True),
    "epochs": Between(1, 15, whole=True),
    "alpha": Between(0.5, 0.99),
    "share": Between(0.01, 0.8, log=True),
    "moved": Between(0.1, 1.0),
    "ceiling": Between(0.5, 8.0, log=True),
    "dampen": Between(0.01, 1.0, log=True),
    "penalty": Between(1e-6, 1e-2, log=True),
    "push_epochs": Between(1, 6, whole=True),
    "task_weight": Between(0.3, 1.0),
    "match_weight": Between(0.01, 1.0, log=True),
    "strength": Between(1e-12, 1e-4, log=True),
    "most": Between(0.01, 1.0, log=True),
    "reach": Between(0.02, 1.0, log=True),
    "damping": Between(1e-3, 1.0, log=True),
    "scale": Between(0.1, 10.0, log=True),
    "noise": Between(0.1, 3.0, log=True),
    "back": Between(0.1, 0.95),
    "repair": Between(1, 15, whole=True),
}
"""By the names of the methods' fields; of noisy paths, only their step on networks is here."""


def space_of(method: Any, given: Mapping[str, Between] | None = None) -> dict[str, Between]:
    """Return what can be searched of a method: the given ranges, or those of `SPACE`.

    >>> from unteach.unlearn import GradientAscent
    >>> sorted(space_of(GradientAscent()))
    ['ceiling', 'epochs', 'lr']
    """
    known = {f.name for f in fields(method)}
    if given is None:
        return {name: r for name, r in SPACE.items() if name in known}
    strange = set(given) - known
    if strange:
        raise BadInput(f"{type(method).__name__} has no {sorted(strange)}; it has {sorted(known)}")
    return dict(given)


def drawn(method: Any, space: Mapping[str, Between], rng: np.random.Generator) -> Any:
    """Return the method with values drawn from the ranges; drawn again where they do not agree."""
    for _ in range(100):
        values = {name: r.draw(rng) for name, r in sorted(space.items())}
        try:
            return replace(method, **values)
        except BadInput:
            continue
    raise BadInput(f"no draw from these ranges makes a {type(method).__name__}: {dict(space)}")


@dataclass(frozen=True)
class Gap:
    """How far a model is from retraining on some records, as probabilities of their own targets.

    forget, kept, fresh : mean absolute difference on the forgotten, on kept, on unseen records ·
    signed : mean difference on the forgotten; below 0 they are denied more than ignorance would
    """

    forget: float
    kept: float
    fresh: float
    signed: float

    @property
    def total(self) -> float:
        """The sum of the three: what tuning makes small."""
        return self.forget + self.kept + self.fresh


@dataclass(frozen=True)
class Yard:
    """A forgetting whose truth is known: three sets of records, and retrained models of it."""

    forget: Records
    kept: Records
    fresh: Records
    references: tuple[Any, ...]

    def gap(self, model: Any) -> Gap:
        """Return how far a model is from the mean of the references."""
        off = []
        for rows in (self.forget, self.kept, self.fresh):
            truth = np.mean([likelihoods(r, rows) for r in self.references], axis=0)
            off.append(likelihoods(model, rows) - truth)
        forget, kept, fresh = (float(np.abs(o).mean()) for o in off)
        return Gap(forget, kept, fresh, float(off[0].mean()))

    def slack(self) -> float:
        """Return how far below the others a retrained model comes by chance: at least 0.01."""
        means = [float(likelihoods(r, self.forget).mean()) for r in self.references]
        return max(0.01, max(means) - min(means))


def likelihoods(model: Any, records: Records) -> NDArray[np.float64]:
    """Return exp(-loss) of each record: of a classifier the probability of its label, (n,)."""
    import torch

    from unteach.models import evaluating

    parts = []
    with evaluating(model), torch.no_grad():
        for start in range(0, len(records), 1024):
            rows = records.take(np.arange(start, min(start + 1024, len(records))))
            parts.append(np.exp(-model.losses(model.batch(rows)).double().cpu().numpy()))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Tuned:
    """A method with the hyper-parameters that were chosen; what choosing cost is on its bill.

    method : as chosen · cost : of all trainings and trials · trials : a table, one row a trial ·
    chosen : the row · untouched : what doing nothing scores · slack : see `tune`
    """

    method: Any
    cost: Cost
    trials: Table = field(repr=False)
    chosen: int
    untouched: Gap
    slack: float

    @property
    def needs(self) -> str:
        """What the chosen method needs of a model: "trainable", or nothing."""
        return str(getattr(self.method, "needs", ""))

    @property
    def helps(self) -> bool:
        """Whether the chosen one is nearer to retraining than doing nothing."""
        return bool(self.trials["gap"][self.chosen] < self.untouched.total)

    def promise(self, model: Model, records: Records, request: Request) -> Claim:
        """Return the claim that `forget` would make, or say why it cannot."""
        promise = getattr(self.method, "promise", None)
        return Heuristic() if promise is None else promise(model, records, request)

    def forget(self, model: Model, records: Records, request: Request, *, seed: int) -> Forgotten:
        """Forget by the chosen method; the cost is its own and that of choosing it."""
        gone: Forgotten = self.method.forget(model, records, request, seed=seed)
        return Forgotten(gone.model, gone.claim, gone.cost + self.cost)


class TunedPreparing(Tuned):
    """One whose method forgets only from models learned its own way."""

    def prepare(self, learner: Any = None) -> Any:
        """Return the learner whose models the chosen method can forget from."""
        return self.method.prepare(learner)


def tune(
    method: Any,
    learner: Any,
    records: Records,
    request: Request,
    *,
    seed: int,
    trials: int = 20,
    space: Mapping[str, Between] | None = None,
    surrogate: Any = None,
    references: int = 2,
    holdout: float = 0.2,
    progress: Progress | None = None,
) -> Tuned:
    """Choose a method's hyper-parameters by forgetting other records, whose truth can be known.

    The records to be forgotten, and any model that was retrained without them, are left out of
    everything: of the rest a share is set aside, as many others as are to be forgotten play their
    part, a model is trained with them and `references` without. Each trial forgets them from
    that model; the nearest to the references wins. A trial that leaves them less likely than
    any chance among the references explains (`slack`) over-forgets and cannot win; where all
    do, the one that does so least wins.

    What plays the part is drawn at random, and may be less memorized than what is to be
    forgotten: hand in `surrogate` where you know records more like it. The model trained here
    costs as much as retraining: tune once, and use the result for many requests.

    Parameters
    ----------
    method : a frozen dataclass; the first trial is as it stands, the others are drawn
    learner : what the model was learned by; models of `MLP` and `CNN` are tuned on as torch copies
    records, request : as for `forget`; a request for groups is tuned on other whole groups
    seed : of the draws · trials : at least 1
    space : name of a field to its range; None takes `search_space.SPACE`
    surrogate : ids, none of them to be forgotten, that play the part
    references : at least 2, retrained models · holdout : in (0, 1), the share set aside

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import Layers, Network
    >>> from unteach.unlearn import GradientAscent
    >>> rows, net = load("digits").take(range(200)), Network(module=Layers((64, 16, 10)), epochs=5)
    >>> tuned = tune(GradientAscent(), net, rows, Request(ids=[3, 4]), seed=0, trials=3)
    >>> len(tuned.trials), tuned.cost.gradients > 2000
    (3, True)
    """
    if trials < 1 or references < 2 or not 0 < holdout < 1:
        raise BadInput(
            "need at least 1 trial, 2 references and a holdout in (0, 1), got "
            f"{trials}, {references}, {holdout}"
        )
    if request.replace is not None:
        raise BadInput("tune forgets; a change has no surrogate")
    ranges = space_of(method, space)
    rest = (
        records.without(request.targets(records))
        if isinstance(records, Rows)
        else (request.applied_to(records))
    )
    learner = keeping_classes(learner, records, rest, always=True)
    prepared = as_learner(method.prepare(learner) if hasattr(method, "prepare") else learner)
    part = _part(rest, records, request, surrogate, seed)
    left = np.setdiff1d(rest.ids, part)
    fresh = stream(seed, "holdout").choice(left, size=round(holdout * len(left)), replace=False)
    kept_ids = np.setdiff1d(left, fresh)
    if not len(kept_ids) or not len(fresh):
        raise NothingLeft(f"{len(rest)} records are too few to tune on; give the values yourself")
    world: Any = rest.select(np.concatenate([kept_ids, part]))
    kept: Any = rest.select(kept_ids)
    ask, total = Request(ids=part.tolist()), trials + references + 1
    tell = progress if progress is not None else (lambda done, of, what: None)
    rows: list[dict[str, Any]] = []
    spent = Cost()
    with Stopwatch() as watch:
        model: Any = as_trainable(prepared.learn(world, seed=derive(seed, "original")))
        if not isinstance(model, Trainable):
            raise NoRoute(
                f"tune compares losses, and {type(model).__name__} states none; tune on a network "
                "(Network, MLP or CNN)"
            )
        tell(1, total, "a model with the surrogates")
        truth = []
        for k in range(references):
            truth.append(as_trainable(prepared.learn(kept, seed=derive(seed, "reference", k))))
            tell(2 + k, total, "a model without them")
        yard = Yard(rest.select(part), kept, rest.select(fresh), tuple(truth))
        untouched, slack = yard.gap(model), yard.slack()
        for t in range(trials):
            one = method if t == 0 else drawn(method, ranges, stream(seed, "trial", t))
            try:
                gone = one.forget(model, world, ask, seed=derive(seed, "forget", t))
                spent, gap = spent + gone.cost, yard.gap(gone.model)
            except Diverged:
                gap = Gap(1.0, 1.0, 1.0, -1.0)
            rows.append({**{n: getattr(one, n) for n in ranges}, "gap": gap.total, **vars(gap)})
            tell(references + 2 + t, total, f"gap {gap.total:.3f}")
    over = [r["signed"] < -slack for r in rows]
    best = min(
        range(trials), key=lambda t: (over[t], -rows[t]["signed"] if over[t] else rows[t]["gap"])
    )
    chosen = method if best == 0 else drawn(method, ranges, stream(seed, "trial", best))
    columns = {n: [r[n] for r in rows] for n in rows[0]} | {"over": over}
    trained = sum(
        prepared.epochs * n
        if isinstance(prepared, (MLP, CNN))
        else getattr(getattr(m, "trace_", None), "gradients", 0)
        for m, n in ((model, len(world)), *((m, len(kept)) for m in truth))
    )
    cost = watch.cost(
        rows_read=len(world) + references * len(kept) + spent.rows_read,
        route=f"tuned by {trials} trials",
        gradients=trained + spent.gradients,
    )
    kind = TunedPreparing if hasattr(method, "prepare") else Tuned
    return kind(chosen, cost, Table("trials", columns), best, untouched, slack)


def _part(rest: Records, records: Records, request: Request, given: Any, seed: int) -> Ids:
    """Return the ids that play the part of what is to be forgotten."""
    n = len(records) - len(rest)
    if given is not None:
        chosen = np.asarray(given)
        if len(np.setdiff1d(chosen, rest.ids)) or not len(chosen):
            raise BadInput("surrogate holds ids of records that stay, at least one")
        return np.unique(chosen)
    if not n:
        raise BadInput("the request names nothing, so that there is nothing to tune for")
    groups = getattr(rest, "groups", None)
    if request.groups and groups is not None:
        names = stream(seed, "groups").permutation(np.unique(groups))
        chosen = rest.ids[np.isin(groups, names[: max(1, len(request.groups))])]
    else:
        chosen = stream(seed, "part").choice(rest.ids, size=min(n, len(rest) // 2), replace=False)
    if len(chosen) == len(rest):
        raise NothingLeft("the surrogates are all that is left; hand in surrogate=")
    return np.sort(chosen)
