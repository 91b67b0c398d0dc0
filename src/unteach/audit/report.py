"""What an audit by arms found: verdicts, readings, tables, and a page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Certified, NeedsReference, Reading, Table

from .arms import Arms
from .calibration import calibration
from .epsilon import EpsilonBounds, attack_ceiling, epsilon_lower_bound
from .figured import VERDICTS, YARDSTICKS, figured
from .figures import figure_from
from .fraction import Fractions
from .judgement import Judgement
from .klom import klom
from .latex import PaperTable
from .neurips_score import neurips_score
from .population import difference_of_means, population_membership
from .tow import tow
from .ulira import Ulira

if TYPE_CHECKING:
    from unteach.report import Plate

POLES = ("do nothing", "retrain")


@dataclass(frozen=True, repr=False)
class MethodAudit:
    """What was found of one method (or of a control, which has no judgement).

    tests : stratum -> the per-example attack · fractions : None where nothing was measurable
    costs : (cost, claim) of each forgetting · claim : the method and its settings
    poles : what the two controls are called whose models were learned as this method's were
    """

    name: str
    arms: Arms
    tests: Mapping[str, Ulira]
    fractions: Fractions | None
    judgement: Judgement | None
    costs: tuple[Any, ...] = ()
    claim: str = ""
    poles: tuple[str, str] = POLES

    def __repr__(self) -> str:
        return f"<audit of {self.name}: {self.verdict}>"

    @property
    def verdict(self) -> str:
        """The sentence that may be said of the method."""
        return "a control" if self.judgement is None else self.judgement.text

    def bounds(self) -> EpsilonBounds:
        """Return the lower bound on epsilon of each forgotten record."""
        return self._bounds

    @cached_property
    def _bounds(self) -> EpsilonBounds:
        return epsilon_lower_bound(self.arms.margins("unlearned"), self.arms.margins("retrained"))

    def ceiling(self) -> float | None:
        """Return the largest area that the claims allow; None unless all are certificates."""
        claims = [claim for _, claim in self.costs]
        if not claims or not all(isinstance(c, Certified) for c in claims):
            return None
        return max(attack_ceiling(c.epsilon, c.delta) for c in claims)


@dataclass(frozen=True, repr=False)
class AuditReport:
    """Everything an audit found, the controls among it.

    methods : by name; `report["NegGradPlus"]`, also by other spellings, such as "neggrad+"
    validity : "valid", or how the controls misbehave · margin : of equivalence
    base : the arms of the first learner; a method's own are in `report[name].arms`
    card : what is claimed, one row a method · bills : what methods and the audit took
    more : tables of what was measured besides, such as `relearn_table`, for figures
    """

    methods: Mapping[str, MethodAudit]
    validity: str
    base: Arms
    margin: float = 0.05
    strata: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    tier: str = ""
    seed: int = 0
    card: Table | None = None
    bills: tuple[Table, ...] = ()
    more: tuple[Table, ...] = ()

    def __repr__(self) -> str:
        tier = f"tier {self.tier}, " if self.tier else ""
        wide = max(map(len, self.methods), default=0)
        lines = (f"{name:{wide}}  {found.verdict}" for name, found in self.methods.items())
        head = "valid audit" if self.valid else self.validity
        return "\n".join([head, f"{tier}{self.base!r}", *lines])

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    @property
    def valid(self) -> bool:
        """Whether both controls came out as they must."""
        return self.validity == "valid"

    def __iter__(self) -> Iterator[str]:
        return iter(self.methods)

    def __len__(self) -> int:
        return len(self.methods)

    def __getitem__(self, name: str) -> MethodAudit:
        if name in self.methods:
            return self.methods[name]
        wanted = _spelling(name)
        for known, found in self.methods.items():
            if _spelling(known) == wanted:
                return found
        raise BadInput(f"no method {name!r} in this audit; there are {list(self.methods)}")

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The numbers of every method with their intervals, nulls and what doing nothing scores."""
        from .arm_readings import readings_of

        return tuple(r for m in self.methods.values() for r in readings_of(m, self))

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """All tables: claim card, verdicts, yardsticks, bills, by record, and of the figures."""
        judged = [m for m in self.methods.values() if m.judgement is not None and m.tests]
        card = () if self.card is None else (self.card,)
        rest = (self.records(m.name) for m in judged)
        return (
            *card,
            self.judgements(),
            self.table(),
            self.yardsticks(),
            *self.bills,
            *rest,
            *figured(self),
        )

    def figure(self, name: str, *, method: str | None = None) -> Plate:
        """Return a figure, to be saved for a paper; see `figure_from` for names and errors."""
        tables = {t.name: t for t in self.tables}
        return figure_from(tables, name, None if method is None else self[method].name)

    def judgements(self) -> PaperTable:
        """Return one row a method: what may be said of it, and whether the audit is valid."""
        judged = [(m.name, m.judgement) for m in self.methods.values() if m.judgement is not None]
        rows = [(n, j.kind, j.text, j.p_value, self.validity) for n, j in judged]
        names = ("method", "kind", "verdict", "p", "audit")
        return PaperTable(
            "judgements",
            _columns(names, rows),
            {"p": "p"},
            ("method",),
            "p adjusted for all tests of the audit",
        )

    def table(self) -> PaperTable:
        """Return one row a method and stratum: verdict, area, interval, p, residual side."""
        rows = []
        for m in self.methods.values():
            for stratum, test in m.tests.items():
                f = m.fractions
                rows.append(
                    (
                        m.name,
                        stratum,
                        m.verdict,
                        test.area.value,
                        test.area.low,
                        test.area.high,
                        test.p_value,
                        test.detectable,
                        None if f is None else f.value.value,
                        None if f is None else f.near,
                    )
                )
        return PaperTable(
            "verdicts",
            _columns(VERDICTS, rows),
            {"share near": "share", "p": "p"},
            ("method", "stratum"),
            f"area under the curve of the per-example attack, 90 % intervals; p before adjustment; "
            f"{self.validity}",
        )

    def yardsticks(self) -> PaperTable:
        """Return what each definition says of each method that forgot, and of the controls."""
        rows = [self._row(m) for m in self.methods.values() if m.arms.unlearned is not None]
        caption = (
            "every definition on the same models; screens carry no verdict; share "
            "flagged: of the records told from retraining (Benjamini-Hochberg, 5 %)"
        )
        return PaperTable("yardsticks", _columns(YARDSTICKS, rows), {}, ("method",), caption)

    def _row(self, m: MethodAudit) -> tuple[Any, ...]:
        arms = m.arms
        accuracies = {
            a: np.stack(
                [accuracy(arms, a, p) for p in ("forget", "retain", "holdout")], axis=1
            ).mean(axis=0)
            for a in ("unlearned", "retrained")
        }
        held = (arms.part == "holdout").any()
        loss = (
            None
            if not held
            else float(
                np.mean(
                    [
                        calibration(z, arms.labels("holdout")).log_loss
                        for z in arms.logits("unlearned", "holdout")
                    ]
                )
            )
        )
        whole = not np.isnan(accuracies["unlearned"]).any()
        shared = (
            m.name,
            *(None if np.isnan(a) else float(a) for a in accuracies["unlearned"]),
            loss,
            float(tow(accuracies["unlearned"], accuracies["retrained"])) if whole else None,
        )
        if not m.tests:
            return (*shared, *([None] * 7))
        u, r = arms.margins("unlearned"), arms.margins("retrained")
        area = (
            None
            if not held
            else float(
                population_membership(
                    u, arms.margins("unlearned", "holdout"), r, arms.margins("retrained", "holdout")
                ).area.mean()
            )
        )
        bounds = m.bounds()
        return (
            *shared,
            area,
            m.tests["all"].area.value,
            float(np.median(klom(u, r))),
            neurips_score(u, r).score,
            bounds.share,
            float(bounds.low.max()),
            bounds.limit,
        )

    def records(self, name: str) -> PaperTable:
        """Return one row a forgotten record of one method."""
        m = self[name]
        if not m.tests:
            raise NeedsReference(f"{name}: so few models say nothing of single records")
        arms, bounds = m.arms, m.bounds()
        margins = {
            a: arms.margins(a).mean(axis=0).tolist() for a in ("original", "unlearned", "retrained")
        }
        rho = (
            [None] * len(bounds.low)
            if m.fractions is None
            else [None if np.isnan(v) else float(v) for v in m.fractions.rho]
        )
        return PaperTable(
            f"{m.name} by record",
            {
                "id": arms.named().tolist(),
                **{f"margin {a}": v for a, v in margins.items()},
                "rho": rho,
                "area": m.tests["all"].by_example.tolist(),
                "epsilon": bounds.low.tolist(),
                "p": bounds.p_values.tolist(),
            },
            {"p": "p"},
            ("id",),
            f"epsilon at most {bounds.limit:.2f} with so many models",
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as one self-contained page, and return where it lies."""
        from unteach.report import write_page

        from .arm_page import page_of

        return write_page(page_of(self), path)

    def __str__(self) -> str:
        if not self.valid:
            return f"{self.validity}; no method is judged"
        lines = [f"{m.name}: {m.verdict}" for m in self.methods.values() if m.judgement]
        title = f"audit {self.tier}" if self.tier else "audit"
        return "\n".join([f"{title}: {self.validity}", *lines])


def accuracy(arms: Arms, arm: str, part: Any) -> NDArray[np.float64]:
    """Return the accuracy of each model of an arm on a part: (models,); NaN where there is none."""
    if not (arms.part == part).any():
        return np.full(len(getattr(arms, arm)), np.nan)
    return np.asarray(np.mean(arms.logits(arm, part).argmax(axis=2) == arms.labels(part), axis=1))


def changes(m: MethodAudit) -> dict[str, Any]:
    """Return by how much accuracy differs from retraining's, part by part, with intervals."""
    return {
        part: difference_of_means(
            accuracy(m.arms, "unlearned", part), accuracy(m.arms, "retrained", part)
        )
        for part in ("retain", "holdout")
        if (m.arms.part == part).any()
    }


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {n: [row[k] for row in rows] for k, n in enumerate(names)}


def _spelling(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("+", "plus"))
