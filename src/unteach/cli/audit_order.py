"""What `unteach audit` was told, and what it needs: records, the request, learner and methods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unteach.core import BadInput, Request, Rows, derive

from .asked import Asked, asked_for, found_in
from .options import Scaling, scaled
from .screen import counted, must_be_writable
from .sources import Source, read_source


@dataclass(frozen=True)
class Order:
    """What `unteach audit` was told; no value that names someone is in it."""

    data: str
    methods: str | None
    model: str
    param: tuple[str, ...]
    forget: int | None
    ids: str | None
    group: str | None
    values_from: str | None
    ids_column: str | None
    target: str | None
    leave_out: tuple[str, ...]
    scale: Scaling
    arms: Path | None
    tier: str
    margin: float
    jobs: int | None
    page: Path | None
    store: Path
    seed: int

    def check(self) -> None:
        """Refuse what cannot be done before anything is read or learned."""
        from unteach.audit import models_of

        models_of(self.tier)
        if not 0 < self.margin < 0.5:
            raise BadInput(f"--margin is a share of the area, in (0, 0.5), got {self.margin}")
        if not self.names and self.arms is None:
            raise BadInput("--methods names no method; see `unteach list methods`")
        ways = [self.forget, self.ids, self.group or self.values_from]
        if sum(w is not None for w in ways) != 1:
            raise BadInput(
                "say what to forget in one way: --forget N, --ids FILE, or --group COLUMN "
                "--values-from FILE; - reads from stdin"
            )
        if self.page is not None:
            must_be_writable(self.page)

    @property
    def names(self) -> list[str]:
        """The methods as they were written."""
        return [n.strip() for n in (self.methods or "").split(",") if n.strip()]

    @cached_property
    def asked(self) -> Asked | None:
        """Whom or what the files name; None if records are drawn."""
        if self.forget is not None:
            return None
        return asked_for(ids_file=self.ids, ids=(), group=self.group, values_from=self.values_from)


@dataclass(frozen=True)
class Prepared:
    """What is needed to audit: records, the request, the learner and the methods."""

    source: Source
    records: Rows
    request: Request
    targets: Any
    learner: Any
    methods: dict[str, Any]

    @property
    def what(self) -> str:
        """What is to be forgotten, in words that name nobody."""
        rows = counted(len(self.targets), "row")
        if not self.request.groups:
            return rows
        one, many = ("class", "classes") if self.source.group == "class" else ("person", "people")
        return f"{rows} of {counted(len(self.request.groups), one, many)}"


def prepare(order: Order) -> Prepared:
    """Return everything that is needed, or refuse; nothing is learned yet."""
    from unteach.data import pick
    from unteach.models import as_learner, classifies

    from .learners import learner_called, method_called, must_suit

    source = read_source(
        order.data,
        ids=order.ids_column,
        target=order.target,
        group=order.group,
        leave_out=order.leave_out,
    )
    whole = source.records
    learner, scale = None, order.scale
    if order.arms is None:
        estimator = learner_called(order.model, order.param)
        must_suit(estimator, whole)
        if not classifies(estimator):
            raise BadInput(f"an audit compares classifiers, and {order.model} is none")
        learner = as_learner(estimator)
    else:
        scale = Scaling.none  # models of the user's own take their features as they are
    records = Rows(whole.ids, {"x": scaled(whole.x, scale), "y": whole.y}, whole.groups)
    if order.forget is not None:
        if order.forget >= len(records):
            raise BadInput(f"--forget {order.forget} of {len(records)} records leaves nothing")
        request = Request(
            ids=tuple(
                pick(records, "random", n=order.forget, seed=derive(order.seed, "forget")).tolist()
            )
        )
    else:
        request = _named(order, source)
    methods = {}
    for name in order.names if order.arms is None else ():
        method = method_called(name)
        methods[type(method).__name__] = method
    return Prepared(source, records, request, request.targets(records), learner, methods)


def _named(order: Order, source: Source) -> Request:
    asked = order.asked
    if asked is None:
        raise BadInput("say what to forget: --forget, --ids, or --group with --values-from")
    known = source.records.groups if asked.whole else source.records.ids
    if known is None:
        raise BadInput(f"{source.name} has no groups; name rows with --ids FILE")
    where = f"column {source.group!r} of {source.name}" if asked.whole else source.name
    values, _ = found_in(asked, known, where=where, skip_missing=False)
    return Request(groups=tuple(values)) if asked.whole else Request(ids=tuple(values))
