"""The protocol: learn, forget, retrain twice, measure; each trial from its own original."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unteach.core import (
    BadInput,
    Case,
    Forgotten,
    Ids,
    Learner,
    NeedsReference,
    Prepares,
    Progress,
    Reading,
    Records,
    Request,
    Table,
    Trial,
    Unlearner,
    derive,
    records_in,
    unseen,
)
from unteach.models import (
    as_learner,
    continues,
    doubt,
    keeping_classes,
    learned,
    learner_of,
    one_label,
    scores,
)

from .controls import controls_table, put_in_place, validity
from .duplicates import near_duplicates
from .gap import PredictionGap
from .ledger import CertificateLedger
from .logits import one_label_each
from .membership import Membership
from .parameters import ParameterGap
from .residual import ResidualFraction
from .residue import Residue
from .utility import HoldoutUtility, RetainUtility
from .verdict import Verdict, verdict

# What an audit found: readings, tables, refusals, verdicts, and whether its controls hold.


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    readings : of the metrics that could be read, in their order
    tables : what the readings sum up, the controls, and near-duplicates (of the first trial)
    case : the models that were compared
    refusals : metric -> why it could not be read
    validity : "valid", or why the controls make the verdicts void
    verdicts : forgetting metric -> what its reading allows to be said; "cannot tell" for all
        when the audit is not valid
    poles : name -> readings of other methods on the same trials, for comparison
    """

    readings: tuple[Reading, ...]
    tables: tuple[Table, ...]
    case: Case
    refusals: Mapping[str, str] = field(default_factory=dict)
    validity: str = "valid"
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    poles: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)

    def reading(self, name: str) -> Reading:
        """Return one reading by name, or say why there is none."""
        for reading in self.readings:
            if reading.name == name:
                return reading
        if name in self.refusals:
            raise NeedsReference(f"{name} was not read: {self.refusals[name]}")
        raise BadInput(f"no reading {name!r}; there are {[r.name for r in self.readings]}")

    def table(self, name: str) -> Table:
        """Return one table by name."""
        for table in self.tables:
            if table.name == name:
                return table
        raise BadInput(f"no table {name!r}; there are {[t.name for t in self.tables]}")


def audited(
    case: Case, metrics: Sequence[Any], again: Sequence[Any], others: Mapping[str, Sequence[Any]]
) -> Audit:
    """Read the metrics on the case, on its negative control, and on the poles."""
    readings, tables, refusals = _read(case, metrics)
    forgetting = [m for m in metrics if m.role == "forgetting"]
    retrained = {r.name: r for r in _read(put_in_place(case, again), forgetting)[0]}
    table = controls_table(readings, retrained, [m.name for m in forgetting])
    held = validity(table)
    found = {r.name: r for r in readings if r.name in {m.name for m in forgetting}}
    signed = found.get(ResidualFraction.name)
    verdicts: dict[str, Verdict] = {
        name: verdict(r, signed=signed) if held == "valid" else "cannot tell"
        for name, r in found.items()
    }
    first = case.trials[0]
    try:
        alike = 0.0 if continues(first.before) else None  # tokens have no distance, but copies
        near = [near_duplicates(first.forget, first.retain, threshold=alike)]
    except BadInput as error:  # inputs that have no distance, such as tokens
        near, refusals = [], {**refusals, "near duplicates": str(error)}
    return Audit(
        readings,
        (*tables, table, *near),
        case,
        refusals,
        held,
        verdicts,
        {name: _read(put_in_place(case, models), metrics)[0] for name, models in others.items()},
    )


def _read(
    case: Case, metrics: Sequence[Any]
) -> tuple[tuple[Reading, ...], tuple[Table, ...], dict[str, str]]:
    """Return readings and tables; a metric that refuses is named with its reason."""
    readings, tables, refusals = [], [], {}
    for metric in metrics:
        try:
            if hasattr(metric, "measure"):
                reading, found = metric.measure(case)
            else:
                reading, found = metric.read(case), ()
        except NeedsReference as refusal:
            refusals[str(metric.name)] = str(refusal)
            continue
        readings.append(reading)
        tables += found
    return tuple(readings), tuple(tables), refusals


METRICS: tuple[Any, ...] = (
    PredictionGap(),
    ResidualFraction(),
    ParameterGap(),
    HoldoutUtility(),
    RetainUtility(),
    Membership(),
    Residue(),
    CertificateLedger(),
)
"""All metrics: three of forgetting, two of utility, two screens, a ledger."""

Draw = tuple[Records, "Records | None", Request]


def audit(
    method: Unlearner,
    learner: Any,
    records: Records,
    request: Request,
    *,
    holdout: Records | None = None,
    seeds: Iterable[int] | None = None,
    metrics: Sequence[Any] = METRICS,
    draws: Sequence[Draw] | None = None,
    poles: Sequence[Unlearner] = (),
    progress: Progress | None = None,
) -> Audit:
    """Audit a method: on every trial it forgets from an original of its own.

    A trial learns a model, lets the method forget from it, and retrains three times without the
    records, all from seeds of their own: the reference, its twin (the null), and one more as the
    negative control; the model before is the positive one. Where the controls do not separate,
    no verdict is given.

    Parameters
    ----------
    method : pure; if it offers `prepare(learner)`, all models are learned its way
    learner : anything that can learn: an estimator, a pipeline, a learner
    records, request : what was learned from, and what of it is to be forgotten
    holdout : records that nothing learns from, which is checked (`unteach.core.unseen`); without
        them metrics that need them refuse
    seeds : one a trial; None means 0 to 7 (or one a draw)
    metrics : what to read
    draws : (records, holdout, request), one a trial, in place of those above: replicates over
        data, without which nothing general can be said of a method
    poles : other methods, read on the same trials
    progress : called after each training

    Examples
    --------
    >>> from unteach.data import memorable
    >>> from unteach.models import Logistic
    >>> class Untouched:
    ...     def forget(self, model, records, request, *, seed):
    ...         from unteach.core import Heuristic
    ...         return Forgotten(model, Heuristic())
    >>> world = memorable(0)
    >>> found = audit(Untouched(), Logistic(C=100.0), world.records,
    ...               Request(ids=world.planted_ids), holdout=world.holdout, seeds=[0, 1])
    >>> found.validity, found.verdicts["residual fraction"]
    ('valid', 'under-forgotten')
    """
    used, left = [rows for m in (method, *poles) for rows in records_in(m)], LeftOut([])
    holdout = left.new(records, holdout, request, used) if draws is None else None
    draws = draws and [
        (rows, left.new(rows, held, asked, used), asked) for rows, held, asked in draws
    ]
    trials_of, unit = _draws(records, holdout, request, seeds, draws)
    for _, (rows, _, asked) in trials_of:
        learner = keeping_classes(learner, rows, asked.applied_to(rows))
        one_label_each(learner, rows)
    recipe = method.prepare(learner) if isinstance(method, Prepares) else as_learner(learner)
    steps, done = len(trials_of) * (5 + len(poles)), 0

    def tick(what: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, steps, what)

    trials: list[Trial] = []
    again: list[Any] = []
    others: list[list[Any]] = [[] for _ in poles]
    for seed, (rows, held, wanted) in trials_of:
        rest = wanted.applied_to(rows)
        before = learned(recipe, rows, seed=derive(seed, "before"))
        one_label(before)
        tick("learn")
        forgotten = method.forget(before, rows, wanted, seed=derive(seed, "forget"))
        tick("forget")
        retrained = []
        for name in ("reference", "twin", "control"):
            retrained.append(recipe.learn(rest, seed=derive(seed, name)))
            tick("retrain")
        again.append(retrained[2])
        for other, models in zip(poles, others, strict=True):
            models.append(other.forget(before, rows, wanted, seed=derive(seed, "forget")).model)
            tick("forget")
        forget = rows.select(wanted.targets(rows))
        trials.append(
            Trial(before, forgotten, retrained[0], retrained[1], forget, rest, held, seed)
        )
    case = Case(tuple(trials), unit)
    names = [type(p).__name__ for p in poles]
    named = {
        n if names.count(n) == 1 else repr(p): m
        for n, p, m in zip(names, poles, others, strict=True)
    }
    return left.said(audited(case, metrics, again, named))


def audit_model(
    before: Any,
    forgotten: Forgotten,
    records: Records,
    request: Request,
    *,
    learner: Any = None,
    holdout: Records | None = None,
    twins: int = 5,
    seed: int = 0,
    metrics: Sequence[Any] = METRICS,
    progress: Progress | None = None,
) -> Audit:
    """Audit one model, as it was and as it is, beside several retrained ones.

    Intervals range over the forgotten records, as there is one model; what is found holds for
    this model and these records, not for the method. The null comes from `twins` + 1
    retrainings, each compared with the others. When the first two agree to the last bit on
    the forgotten records, retraining is deterministic, no more are made, and the null is a
    point, as the readings' notes say.

    Parameters
    ----------
    before, forgotten : the model, and what a method returned for it
    records, request : what the model had learned from, and what was forgotten
    learner : how to retrain; None takes the recipe that the model carries, and warns where that
        does not give this model again from all records
    twins : retrainings besides the first, at least 1; more make the null sharper

    Examples
    --------
    >>> from unteach.data import memorable
    >>> from unteach.models import Ridge, learn
    >>> world = memorable(0)
    >>> model = learn(Ridge(alpha=0.01), world.records)
    >>> from unteach.core import Exact
    >>> gone = Forgotten(model.without(world.planted_ids), Exact())
    >>> found = audit_model(model, gone, world.records, Request(ids=world.planted_ids))
    >>> found.validity, found.verdicts["residual fraction"]
    ('valid', 'as retrained')
    """
    if not isinstance(twins, int) or isinstance(twins, bool) or twins < 1:
        raise BadInput(f"twins is a whole number of at least 1, got {twins!r}")
    recipe: Learner = learner_of(before) if learner is None else as_learner(learner)
    one_label(before)
    if learner is None and (why := doubt(before, records)):
        warnings.warn(f"the audit's references are other models than this one: {why}", stacklevel=2)
    left = LeftOut([])
    holdout = left.new(records, holdout, request)
    rest, forget = request.applied_to(records), records.select(request.targets(records))
    retrained: list[Any] = []
    for k in range(twins + 1):
        retrained.append(recipe.learn(rest, seed=derive(seed, "retrain", k)))
        if progress is not None:
            progress(k + 1, twins + 2, "retrain")
        if k == 1 and len(forget) and _agree(retrained, forget):
            break
    again = recipe.learn(rest, seed=derive(seed, "control"))
    if progress is not None:
        progress(twins + 2, twins + 2, "retrain")
    count = len(retrained) if len(retrained) > 2 else 1
    trials = [
        Trial(before, forgotten, one, other, forget, rest, holdout, seed)
        for one, other in zip(retrained[:count], [*retrained[1:], retrained[0]], strict=False)
    ]
    return left.said(audited(Case(tuple(trials), "examples"), metrics, [again] * count, {}))


@dataclass(frozen=True)
class LeftOut:
    """The held-out records of each draw that equal one that models learn from."""

    ids: list[Ids]

    def new(
        self, records: Any, holdout: Any, request: Request, used: Sequence[Records] = ()
    ) -> Any:
        """Return the held-out records that are new (see `unteach.core.unseen`); note the others."""
        if holdout is None or not hasattr(records, "ids"):
            return holdout
        changed = () if request.replace is None else (request.replace,)
        held, gone = unseen(holdout, records, *changed, *used)
        self.ids.append(gone)
        return held

    def said(self, found: Audit) -> Audit:
        """Return the audit with a table of what was left out, if anything was."""
        if not any(map(len, self.ids)):
            return found
        draw = np.repeat(np.arange(len(self.ids)), [len(i) for i in self.ids]).tolist()
        named = [i for ids in self.ids for i in ids.tolist()]
        table = Table(
            "left out",
            {"draw": draw, "id": named},
            keys=("draw", "id"),
            caption="held-out records that equal one that models learn from",
        )
        return replace(found, tables=(*found.tables, table))


def _draws(
    records: Records,
    holdout: Records | None,
    request: Request,
    seeds: Iterable[int] | None,
    draws: Sequence[Draw] | None,
) -> tuple[list[tuple[int, Draw]], str]:
    """Return (seed, draw) for each trial, and what tells one trial from the next."""
    if draws is not None and not len(draws):
        raise BadInput("draws is empty; give (records, holdout, request) for each trial")
    listed = list(range(8 if draws is None else len(draws)) if seeds is None else seeds)
    if not listed or len(set(listed)) != len(listed):
        raise BadInput(f"seeds must be different and at least one, got {listed}")
    if draws is None:
        unit = "seeds" if len(listed) > 1 else "examples"
        return [(s, (records, holdout, request)) for s in listed], unit
    if len(listed) != len(draws):
        raise BadInput(f"{len(listed)} seeds for {len(draws)} draws; give one a draw, or none")
    return list(zip(listed, draws, strict=True)), "data draws" if len(draws) > 1 else "examples"


def _agree(models: list[Any], forget: Records) -> bool:
    one, other = (np.asarray(scores(m, forget.x)) for m in models)
    return bool(np.array_equal(one, other))
