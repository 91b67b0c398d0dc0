"""`unteach compare`: methods side by side on one forgetting, with retraining as the truth."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from .options import AsJson, DataName, IdsColumn, LeaveOut, ModelName, Params, Seed, Target, value
from .screen import (
    answers,
    counted,
    meanwhile,
    noted,
    print_json,
    print_labelled,
    seconds,
    table,
)

METHODS = "retrain,native,do-nothing,over-forget"


def compare(
    data: DataName,
    model: ModelName = "logistic",
    param: Params = None,
    forget: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many records, drawn at random.")
    ] = 10,
    methods: Annotated[str, value("NAMES", "With commas; see `unteach list methods`.")] = METHODS,
    trials: Annotated[
        int, typer.Option(min=2, metavar="N", help="Data draws, each with models of its own.")
    ] = 5,
    ids_column: IdsColumn = None,
    target: Target = None,
    leave_out: LeaveOut = None,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Forget by several methods, and measure each.

    Each trial draws three quarters of the records to learn from and holds the rest out.
    """
    from unteach.audit import audit
    from unteach.core import BadInput, NoRoute, Prepares, Request, derive
    from unteach.data import draws, pick
    from unteach.models import as_learner

    from .learners import learner_called, method_called, must_suit, with_own_scale
    from .sources import read_source

    source = read_source(data, ids=ids_column, target=target, leave_out=leave_out or ())
    estimator = with_own_scale(learner_called(model, param or ()), param or ())
    must_suit(estimator, source.records)
    learner = as_learner(estimator)
    chosen = [method_called(name.strip()) for name in methods.split(",") if name.strip()]
    if not chosen:
        raise BadInput("--methods names no method; see `unteach list methods`")
    drawn = []
    for k, part in enumerate(draws(source.records, n_draws=trials, n_train=0.75, seed=seed)):
        which = pick(part.train, "random", n=forget, seed=derive(seed, "compare", k))
        drawn.append((part.train, part.holdout, Request(ids=tuple(which.tolist()))))
    screen = meanwhile()
    rows: list[dict[str, Any]] = []
    left_out: list[str] = []
    live = screen.status("comparing") if screen.is_terminal else nullcontext()
    with noted(), live as line:
        for method in chosen:
            name = type(method).__name__
            if line is not None:
                line.update(f"comparing: {name}, {counted(trials, 'trial')}")
            # a method that learns its own way is compared with retraining in that way
            try:
                found = audit(method, learner, source.records, drawn[0][2], draws=drawn)
            except NoRoute as refusal:
                if methods != METHODS:
                    raise
                left_out.append(f"{name}: {refusal}")  # nobody asked for it
                continue
            rows.append(_row(name, isinstance(method, Prepares), found))
    if json:
        print_json(
            {
                "data": source.name,
                "model": model,
                "forget": forget,
                "trials": trials,
                "seed": seed,
                "methods": rows,
                "left_out": left_out,
            }
        )
        return
    from rich.text import Text

    colours = {
        "as retrained": "green",
        "under-forgotten": "red",
        "over-forgotten": "red",
        "not as retrained": "red",
        "cannot tell": "yellow",
    }
    grid = table("method", "residual fraction", "verdict", "held out", "took", right=("took",))
    for row in rows:
        grid.add_row(
            Text.assemble((row["method"], "bold"), "\n", (row["claim"], "dim")),
            _said(row["readings"].get("residual fraction")),
            Text(row["verdict"], style=colours.get(row["verdict"], "")),
            _said(row["readings"].get("holdout utility")),
            seconds(row["seconds"]),
        )
    out = answers()
    out.print()
    out.print(
        Text.assemble(
            ("  ", ""),
            (f"{counted(forget, 'record')} of {source.name}", "bold"),
            f", {model}, {counted(trials, 'data draw')}",
        )
    )
    out.print()
    out.print(grid)
    out.print()
    out.print(
        "  residual fraction: 1 nothing forgotten, 0 as retrained, below 0 too much\n"
        "  verdict: the gravest of all forgetting metrics; held out: accuracy or R2 less\n"
        "  that of a retrained model",
        style="dim",
        markup=False,
    )
    for refused in left_out:
        print_labelled(out, "left out", refused, 10)
    out.print()


def _row(name: str, own_way: bool, found: Any) -> dict[str, Any]:
    trials = found.case.trials
    took = [t.forgotten.cost.seconds for t in trials]
    return {
        "method": name,
        "claim": trials[0].forgotten.claim.kind,
        "learned_its_own_way": own_way,
        "validity": found.validity,
        "verdict": _gravest(found.verdicts),
        "verdicts": dict(found.verdicts),
        "seconds": sum(took) / len(took),
        "readings": {r.name: r.to_json() for r in found.readings},
        "refusals": dict(found.refusals),
    }


def _gravest(verdicts: Mapping[str, str]) -> str:
    """Return what is to be said when the metrics do not agree: what any of them has against it.

    >>> _gravest({"residual fraction": "as retrained", "prediction gap": "not as retrained"})
    'not as retrained'
    >>> _gravest({"residual fraction": "as retrained", "prediction gap": "cannot tell"})
    'as retrained'
    """
    for what in ("under-forgotten", "over-forgotten", "not as retrained", "as retrained"):
        if what in verdicts.values():
            return what
    return "cannot tell"


def _said(reading: dict[str, Any] | None) -> Any:
    """Return a number over its interval."""
    from rich.text import Text

    if reading is None:
        return Text("not read", style="dim")
    value, low, high = (_short(reading[k]) for k in ("value", "low", "high"))
    return Text.assemble((value, "bold"), "\n", (f"[{low}, {high}]", "dim"))


def _short(value: float) -> str:
    """Return a number in a few characters.

    >>> _short(-0.001), _short(-30.49), _short(0.5)
    ('0.00', '−30.5', '0.50')
    """
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")
