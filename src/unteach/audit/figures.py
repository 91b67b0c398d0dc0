"""The figures of an audit by name: each a block over tables, for its page and for a paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from unteach.core import BadInput, NeedsReference, Table

from .costed import CERTIFICATE, RELEARNING
from .figured import VERDICTS, WINDOW

if TYPE_CHECKING:
    from unteach.report import Plate


SECTIONS = (
    ("What may be said", ("card",)),
    ("Can the models be told from retrained ones?", ("forest",)),
    ("Which way, and on which records?", ("raincloud", "histograms", "waterfall")),
    ("What does an attacker catch who may raise few false alarms?", ("roc",)),
    ("Does it come back?", ("relearn",)),
    ("What was paid for what is left?", ("front", "budget")),
)
"""The headings of an audit's page, and the figures beneath each."""
GIVEN = ("relearn", "budget")  # drawn of tables that a report is given
TONES = {
    "control": "ink",
    "equivalent": "holds",
    "inconclusive": "unknown",
    "distinguishable": "fails",
    "over-forgotten": "beyond",
    "invalid": "unknown",
    "refused": "unknown",
}
MISSING = {
    "waterfall": "no bound on epsilon was found",
    "raincloud": "no forgotten record left a mark that can be measured; forget records that were "
    "memorized, or train more models",
    "relearn": "no model was taught again; measure it, and hand relearn_table(...) to `more`",
    "budget": "no certificate's ledger was given; hand certificate_table(model.ledger_) to `more`",
    "front": "no forgetting was timed (or what the models said came from the store); audit afresh",
}


def figure_from(tables: Mapping[str, Table], name: str, method: str | None = None) -> Plate:
    """Return a figure of an audit of which only the tables are left.

    Parameters
    ----------
    tables : by name, those of a report
    name : "forest" (areas over the band of retraining), "waterfall" (epsilon by record),
        "raincloud" (residual fractions), "histograms" (margins of four telling records of one
        method), "roc" (operating curves), "relearn", "budget" (of a certificate), "front" (cost
        against what is left), "card" (verdicts)
    method : of "histograms" the method, the first one if None; others take none

    Errors
    ------
    BadInput for another name; NeedsReference, by name, where what it shows was not measured
    """
    from unteach.report import Plate

    if name not in FIGURES:
        raise BadInput(f"no figure {name!r}; there are {list(FIGURES)}")
    if method is not None and name != "histograms":
        raise BadInput(f"figure {name} shows all methods; only histograms take method=")
    needed, draw, columns = FIGURES[name]
    if any(t not in tables for t in needed):
        few = "areas" not in tables and name not in GIVEN
        why = "so few models allow no verdict; audit with tier 'quick' or more"
        raise NeedsReference(f"figure {name}: {why if few else MISSING[name]}")
    return Plate(draw(tables, method), tuple(tables[t] for t in needed), columns)


def figures_on_page(tables: Mapping[str, Table]) -> list[Any]:
    """Return the sections and figures of an audit's page, and what is not drawn and why."""
    from unteach.report import Prose, Section, TableBlock

    blocks: list[Any] = []
    missing: list[str] = []
    for heading, names in SECTIONS:
        drawn: list[Any] = []
        for name in names:
            try:
                drawn.append(figure_from(tables, name).block)
            except NeedsReference as refusal:
                missing += [] if name == "budget" else [str(refusal)]  # few methods certify
        blocks += [Section(heading), *drawn] if drawn else []
        if drawn and names == ("forest",) and "verdicts" in tables:
            blocks.append(TableBlock("verdicts", columns=VERDICTS))
    return [*blocks, Section("What is not drawn"), *map(Prose, missing)] if missing else blocks


def _hues(tables: Mapping[str, Table]) -> tuple[str, ...]:
    """Return methods in the order of their colours: the same in all figures."""
    names = list(dict.fromkeys(tables["areas"]["method"]))
    kinds = dict(zip(tables["areas"]["method"], tables["areas"]["verdict"], strict=True))
    return tuple(sorted(names, key=lambda n: kinds[n] == "control"))


def _forest(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Intervals

    return Intervals(
        "areas",
        "method",
        "area",
        "low",
        "high",
        group="stratum",
        band=("null low", "null high"),
        lines=("margin low", "margin high"),
        middle=0.5,
        kind="verdict",
        kinds=TONES,
        title="How well each method's models are told from retrained ones",
        caption="Area under the curve of the per-example attack; whiskers are 90 % intervals over "
        "models and records. An interval within the dashed lines shows equivalence.",
        x_label="area under the curve",
        band_label="retraining against retraining",
        lines_label="margin of equivalence",
        middle_label="chance",
        labels={"all": "all forgotten records"},
    )


def _waterfall(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Waterfall

    return Waterfall(
        "epsilon by record",
        "epsilon",
        "memorized",
        "limit",
        "method",
        title="What is shown of each forgotten record",
        caption="Lower bounds on epsilon, each at 95 %, the largest first; a dot on the line is a "
        "record of which nothing was shown. The stronger its colour, the more the originals had "
        "memorized it: the mean margin above that of retrained models.",
        x_label="forgotten records",
        y_label="lower bound on epsilon",
        shade_label="memorized",
        limit_label="the most that so many models can show",
    )


def _raincloud(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Raincloud

    return Raincloud(
        "residual fractions",
        "rho",
        "method",
        "residual fractions, density",
        "residual fractions, spread",
        WINDOW,
        {0.0: "as retrained", 1.0: "nothing forgotten"},
        _hues(tables),
        title="Which way, and how much: the mark that is left of each record",
        caption="Beneath each name: records whose mark can be measured, and the share of them "
        "within 0.25 of retraining. A middle near 0 can hide records far off on both sides.",
        x_label="residual fraction",
    )


def _histograms(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Histograms

    found = tables["margins of four records"]
    name = found["method"][0] if method is None else method
    return Histograms(
        "margins of four records",
        "id",
        "arm",
        ("original", "retrained", "unlearned"),
        (0, 5, 1),
        ("why", "found"),
        where={"method": name},
        heading="record",
        title=f"Four records in all three arms, {name}",
        caption="How many models hold the stated class with which margin (log-odds). A method "
        "that forgets moves the original's heap onto the retrained one's.",
        x_label="margin",
    )


def _roc(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Curves

    return Curves(
        "operating curves",
        "false",
        "hit",
        "low",
        "high",
        series="method",
        order=_hues(tables),
        log=("x", "y"),
        diagonal=True,
        diagonal_label="chance",
        marks=False,
        title="How many are caught at few false alarms",
        caption="The per-example attack over all pairs of a model and a forgotten record; bands "
        "are 95 % over models and records.",
        x_label="false alarms",
        y_label="hits",
    )


def _relearn(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Curves

    return Curves(
        RELEARNING,
        "step",
        "accuracy",
        "low",
        "high",
        series="models",
        band=("null low", "null high"),
        band_label="retrained models (95 %)",
        title="How soon what was forgotten comes back",
        caption="Accuracy on forgotten records that are not relearned from. Above the band: "
        "something was left; below it: more was taken than retraining takes.",
        x_label="steps of relearning",
        y_label="accuracy on the forgotten",
    )


def budget_figure(name: str = CERTIFICATE) -> Any:
    """Return the block that shows how a certificate's budget burns down; see `certificate_table`.

    >>> budget_figure().x
    'operation'
    """
    from unteach.report import Curves

    return Curves(
        name,
        "operation",
        "value",
        series="account",
        log=("y",),
        reference="budget",
        where={"drawn": True},
        order=("residual as it is", "bound, added up"),
        reference_label="budget",
        title="What was spent of the certificate's budget",
        caption="Each request adds its upper bound, which is never refunded; at the dotted line "
        "the model is retrained. The residual is what was really left: the bound is loose, and "
        "the certificate rests on it alone. What is below a millionth of the budget, such as what "
        "training leaves, is not drawn.",
        x_label="requests",
        y_label="gradient residual",
    )


def _front(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Bubbles

    table = tables["cost and area"]
    known = all(v is not None for v in table["share"])
    unheld = all(v is None for v in table["utility lost"])
    if unheld:
        raise NeedsReference("figure front: no holdout was asked, so that no loss is known")
    return Bubbles(
        "cost and area",
        "method",
        "share" if known else "seconds",
        "excess area",
        "utility lost",
        "low",
        "high",
        log_x=True,
        level=(0.0, "chance"),
        band=("null low", "null high"),
        band_label="retraining against retraining",
        order=_hues(tables),
        title="What forgetting costs, and what it leaves",
        caption="Excess area: what the per-example attack finds above chance, with its 90 % "
        "interval. Size: held-out accuracy lost against retraining.",
        x_label="seconds of one forgetting, over those of a retraining"
        if known
        else "seconds of one forgetting",
        y_label="excess area",
        size_label="utility lost",
    )


def _card(tables: Mapping[str, Table], method: str | None) -> Any:
    from unteach.report import Card

    return Card(
        "verdict cards",
        "method",
        "verdict",
        ("said", "compared with", "confidence", "cost", "not tested"),
        TONES,
        title="Verdicts, and on what they stand",
        caption="No audit shows that something is forgotten; it shows what could be told apart.",
        labels={"said": "verdict"},
    )


_RHO = ("residual fractions", "residual fractions, density", "residual fractions, spread")
FIGURES: Mapping[str, tuple[tuple[str, ...], Callable[..., Any], Any]] = {
    "forest": (("areas",), _forest, 1),
    "waterfall": (("epsilon by record",), _waterfall, 2),
    "raincloud": ((*_RHO, "areas"), _raincloud, 1),
    "histograms": (("margins of four records",), _histograms, 2),
    "roc": (("operating curves", "areas"), _roc, 1),
    "relearn": ((RELEARNING,), _relearn, 1),
    "budget": ((CERTIFICATE,), lambda tables, method: budget_figure(), 1),
    "front": (("cost and area", "areas"), _front, 1),
    "card": (("verdict cards",), _card, 1),
}
"""Name -> tables, what draws it, and over how many columns of a paper it reaches."""
