"""`unteach audit`: methods against retraining, by arms of models; with controls and verdicts."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    DATA,
    HOW,
    PROJECT,
    WHO,
    AsJson,
    DataName,
    DryRun,
    Group,
    IdsColumn,
    IdsFile,
    LeaveOut,
    Params,
    Scale,
    Scaling,
    Seed,
    StorePath,
    Target,
    ValuesFrom,
    value,
)

if TYPE_CHECKING:
    from .audit_order import Order


def audit(
    data: DataName,
    methods: Annotated[
        str | None, value("NAMES", "What is audited, with commas; see `unteach list methods`.")
    ] = None,
    model: Annotated[
        str, value("NAME", "A classifier: see `unteach list models`; or MODULE:CLASS.")
    ] = "mlp",
    param: Params = None,
    forget: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=WHO,
            help="So many records, drawn at random; a list is --ids FILE.",
        ),
    ] = None,
    ids: IdsFile = None,
    group: Group = None,
    values_from: ValuesFrom = None,
    ids_column: IdsColumn = None,
    target: Target = None,
    leave_out: LeaveOut = None,
    scale: Scale = Scaling.standard,
    arms: Annotated[
        Path | None,
        value("FOLDER", "Models of yours, in original, retrained and unlearned/METHOD.", DATA),
    ] = None,
    tier: Annotated[
        str, value("TIER", "screen (1 model an arm), quick (16), standard (64), strong.", HOW)
    ] = "standard",
    margin: Annotated[
        float, value("AREA", "Within this of 0.5 a method counts as equivalent.", HOW)
    ] = 0.05,
    dry_run: DryRun = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            metavar="N",
            rich_help_panel=HOW,
            help="Threads; one a core if not given, for mlp and cnn alone.",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        value("FOLDER", "Where the page is written; if not given, in the project folder."),
    ] = None,
    store: StorePath = PROJECT,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Audit methods: can what they leave be told from retrained models?

    Trains arms of models with and without the records, unlearns each from an original of its
    own, and checks itself by a negative and a positive control. It can be stopped at any moment;
    the same command goes on, and another method is compared with the same arms.
    """
    from .audit_order import Order
    from .auditing import carry_out, say_plan

    order = Order(
        data,
        methods,
        model,
        tuple(param or ()),
        forget,
        ids,
        group,
        values_from,
        ids_column,
        target,
        tuple(leave_out or ()),
        scale,
        arms,
        tier,
        margin,
        jobs,
        page,
        store,
        seed,
    )
    order.check()
    if dry_run:
        say_plan(order, json=json)
    else:
        carry_out(order, again=shlex.join(_words(order)), json=json)


def _words(order: Order) -> list[str]:
    """Return the command that does this again; it names nobody."""
    o = order
    words = ["unteach", "audit", o.data]
    own = o.arms is not None
    pairs: list[tuple[str, Any]] = [("--methods", o.methods), ("--model", None if own else o.model)]
    pairs += [("--param", p) for p in o.param]
    pairs += [
        ("--forget", o.forget),
        ("--ids", o.ids),
        ("--group", o.group),
        ("--values-from", o.values_from),
        ("--ids-column", o.ids_column),
        ("--target", o.target),
    ]
    pairs += [("--leave-out", c) for c in o.leave_out]
    pairs += [
        ("--scale", None if o.scale is Scaling.standard else o.scale.value),
        ("--arms", o.arms),
        ("--tier", None if own else o.tier),
        ("--margin", None if o.margin == 0.05 else f"{o.margin:g}"),
        ("--store", None if o.store == PROJECT else o.store),
        ("--seed", o.seed),
    ]
    for name, given in pairs:
        words += [] if given is None else [name, str(given)]
    return words
