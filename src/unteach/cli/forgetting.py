"""From an order to a plan: which rows, which method, which claim; nothing is done yet."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unteach.core import (
    BadInput,
    Claim,
    NoRoute,
    Request,
    Rows,
    UnknownRecord,
    Unlearner,
    read_whole,
    shared,
    unseen,
)

from .asked import Asked, found_in
from .learned import Learned, learned_rows, told_otherwise
from .lineage import Lineage, lineage_of
from .screen import counted, must_be_writable, noted
from .sources import Source, discreet, read_source
from .trust import load_model

KINDS = ("exact", "certified", "heuristic")


@dataclass(frozen=True)
class Order:
    """What `unteach forget` was told; no value that names someone is in it."""

    model: Path
    data: str
    ids_column: str | None
    target: str | None
    group: str | None
    group_is_feature: bool
    leave_out: tuple[str, ...]
    holdout: str | None
    rest_is_holdout: bool
    all_of_data: bool
    skip_missing: bool
    method: str
    accept: tuple[str, ...]
    audits: bool
    out: Path
    overwrite: bool
    in_place: bool
    report: Path | None
    store: Path
    allow_pickle: bool
    trusted: tuple[str, ...]
    seed: int | None
    verify: bool

    def check(
        self, *, given_out: Path | None, force: bool, dry_run: bool, lists: Sequence[str] = ()
    ) -> None:
        """Refuse what cannot be done before anything is read.

        given_out : --out; force : --force; lists : the files of ids or values
        """
        if self.seed is not None and self.seed < 0:
            raise BadInput(f"--seed is a whole number of at least 0, got {self.seed}")
        if self.in_place and given_out is not None:
            raise BadInput("--in-place and --out cannot both be given")
        if self.holdout is not None and self.rest_is_holdout:
            raise BadInput("--holdout and --rest-is-holdout cannot both be given")
        same = self.out.exists() and self.model.exists() and self.out.samefile(self.model)
        if same and not self.in_place:
            raise BadInput(f"--out is {self.model} itself; say --in-place to replace it")
        if self.out.exists() and not self.overwrite and not dry_run:
            raise BadInput(f"{self.out} exists; give another --out, or --force")
        inputs = [self.data, *((self.holdout,) if self.holdout else ()), *lists]
        mine = [Path(name) for name in inputs if name != "-"]
        for path in mine:
            if _same(self.out, path):
                raise BadInput(
                    f"the new model would replace {path}, which is read; give another --out"
                )
        if self.report is not None:
            for path in (self.model, self.out, *mine):
                if _same(self.report, path):
                    raise BadInput(f"--report would replace {path}; give another --report")
            if self.report.is_dir():
                raise BadInput(f"--report is the folder {self.report}; give a file")
            if self.report.exists() and not force and not dry_run:
                raise BadInput(f"{self.report} exists; give another --report, or --force")
        strange = [kind for kind in self.accept if kind not in KINDS]
        if strange or not self.accept:
            raise BadInput(f"--accept takes some of {', '.join(KINDS)}, got {strange or 'nothing'}")


def _same(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, there or not yet there."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


@dataclass(frozen=True)
class Planned:
    """What would be done: the rows, the method and its claim.

    learned, rest : see `Learned`
    hit : how many rows of the data were named; some may not be in the model
    """

    order: Order
    asked: Asked
    source: Source
    raw_model: bytes
    model: Any
    learned: Learned
    holdout: Rows | None
    request: Request
    hit: int
    missing: int
    method: Unlearner
    claim: Claim
    notes: tuple[str, ...]

    @property
    def records(self) -> Rows:
        """What the model has learned from."""
        return self.learned.records

    @property
    def n(self) -> int:
        """How many rows are to be forgotten."""
        return len(self.request.ids or ())

    @property
    def what(self) -> str:
        """What is to be forgotten, in words that name nobody."""
        rows = counted(self.n, "row")
        if not self.asked.whole:
            return rows
        held = self.records.select(self.request.ids).groups
        whose = 0 if held is None else len(np.unique(held))
        return f"{rows} of {counted(whose, self.noun, self.nouns)}"

    @property
    def noun(self) -> str:
        """What one value of the column of groups is called."""
        return "class" if self.source.group == "class" else "person"

    @property
    def nouns(self) -> str:
        """The plural of `noun`."""
        return "classes" if self.noun == "class" else "people"


def plan_forgetting(order: Order, asked: Asked, *, dry_run: bool) -> Planned:
    """Return what would be done, or refuse; no file is changed."""
    raw = read_whole(order.model)
    if not dry_run:
        must_be_writable(order.out.parent)
        if order.report is not None:
            must_be_writable(order.report.parent)
    with noted() as notes:
        model = load_model(order.model, trusted=order.trusted, allow_pickle=order.allow_pickle)
    if not hasattr(model, "predict"):
        raise BadInput(f"{order.model} holds no model: it has no predict")
    source = _source(order, order.data)
    notes += source.notes
    lineage = Lineage(source.records.ids[:0])
    if getattr(model, "sample_ids_", None) is None:
        lineage = lineage_of(order.store, raw, source.records.ids)
    learned = learned_rows(model, source, lineage, all_of_data=order.all_of_data)
    told = told_otherwise(learned.told_by, source.name, len(learned.rest))
    notes += [told] if told else []
    known = source.records.groups if asked.whole else source.records.ids
    if known is None:
        raise BadInput(f"{source.name} has no groups; name rows with --ids")
    where = f"column {source.group!r} of {source.name}" if asked.whole else f"{source.name}"
    values, missing = found_in(
        asked, known, where=where, skip_missing=order.skip_missing, notes=notes
    )
    named = source.records.ids[np.isin(known, values)]
    targets = learned.records.ids[np.isin(learned.records.ids, named)]
    if len(targets) == 0:
        raise UnknownRecord(
            f"nothing was found: {source.name} holds {counted(len(named), 'such row')}, but the "
            "model has learned from none of them; nothing was done (forgotten already?)"
        )
    _check_names(model, source)
    request = Request(ids=tuple(targets.tolist()))
    request.applied_to(learned.records)
    holdout = _holdout(order, learned, named, values if asked.whole else None, notes)
    method, claim = _method(order, model, learned.records, request)
    return Planned(
        order,
        asked,
        source,
        raw,
        model,
        learned,
        holdout,
        request,
        len(named),
        missing,
        method,
        claim,
        tuple(notes),
    )


def _check_names(model: Any, source: Source) -> None:
    """Refuse data whose columns have other names, or another order, than the model learned."""
    names = list(map(str, getattr(model, "feature_names_in_", ())))
    given = list(source.features)
    if not names or not given or names == given:
        return
    k = next((k for k, (a, b) in enumerate(zip(names, given, strict=False)) if a != b), -1)
    how = "the same columns in another order" if set(names) == set(given) else "other columns"
    raise BadInput(
        f"the model was fitted to {how}: feature {k + 1} was {names[k]!r}, and {source.name} gives "
        f"{given[k]!r} there; give the data as it was fitted on"
    )


def _source(order: Order, name: str) -> Source:
    return read_source(
        name,
        ids=order.ids_column,
        target=order.target,
        group=order.group,
        leave_out=order.leave_out,
        group_is_feature=order.group_is_feature,
    )


def _holdout(
    order: Order, learned: Learned, named: Any, people: Any, notes: list[str]
) -> Rows | None:
    """Return the held-out rows, without any row of those who are to be forgotten."""
    if order.rest_is_holdout:
        if not learned.said:
            raise BadInput(
                "the model does not say which rows it has learned from, so that no row is known "
                "to be held out; give --holdout DATA"
            )
        held = learned.rest
    elif order.holdout is not None:
        held = _source(order, order.holdout).records
        if held.x.shape[1] != learned.records.x.shape[1]:
            raise BadInput(
                f"{order.holdout} gives {held.x.shape[1]} features and {order.data} "
                f"{learned.records.x.shape[1]}; the columns must be the same"
            )
        both = shared(held, learned.records)
        if len(both):
            raise BadInput(
                f"{counted(len(both), 'row')} of {order.holdout} are among those that the model "
                "has learned from; held-out rows must be new to it"
            )
    else:
        return None
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            new, _ = unseen(
                held, learned.records, role=order.holdout or order.data, drawn=order.rest_is_holdout
            )
    except BadInput as error:
        raise BadInput(discreet(str(error))) from None
    notes += [discreet(str(one.message)) for one in said]
    held = held.select(new.ids)
    keep = ~np.isin(held.ids, named)
    if people is not None and held.groups is not None:
        keep &= ~np.isin(held.groups, people)
    return held.take(keep)


def _method(order: Order, model: Any, records: Rows, request: Request) -> tuple[Unlearner, Claim]:
    from unteach.unlearn import Retrain, route

    from .learners import method_called

    if order.method == "auto":
        return route(
            model, records, request, accept=order.accept, seed=order.seed, verify=order.verify
        )
    method: Any = method_called(order.method)
    if not order.verify:
        if not isinstance(method, Retrain):
            raise BadInput(f"--no-verify is for retraining, not {order.method}")
        method = replace(method, verify=False)
    seeded = {"seed": order.seed} if isinstance(method, Retrain) else {}
    claim: Claim = method.promise(model, records, request, **seeded)
    if claim.kind not in order.accept:
        raise NoRoute(
            f"{type(method).__name__} would be {claim}; accepted is {', '.join(order.accept)} "
            "(see --accept)"
        )
    return method, claim
