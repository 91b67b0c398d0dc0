"""`unteach forget`: from a saved model and its data; audited, recorded, reported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    DATA,
    HOW,
    PROJECT,
    WHO,
    AsJson,
    DryRun,
    Group,
    IdsColumn,
    IdsFile,
    LeaveOut,
    StorePath,
    Target,
    ValuesFrom,
    flag,
    value,
)

_WRITTEN = "What is written"
_LOAD = "Loading a model of another library"


def forget(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="The saved model; it stays as it is.")
    ],
    data: Annotated[
        str, value("DATA", "What it has learned from: a bundled set, or a table.", DATA)
    ],
    ids: IdsFile = None,
    one: Annotated[
        list[str] | None, value("X", "The id of one row; again for more.", WHO, "--id")
    ] = None,
    group: Group = None,
    values_from: ValuesFrom = None,
    skip_missing: Annotated[
        bool, flag("--skip-missing", "Go on where some (not all) are not found.", WHO)
    ] = False,
    ids_column: IdsColumn = None,
    target: Target = None,
    group_column: Annotated[
        str | None, value("COLUMN", "The column of people, beside --ids.", DATA)
    ] = None,
    leave_out: LeaveOut = None,
    group_is_feature: Annotated[
        bool, flag("--group-is-feature", "The model learned from that column too.", DATA)
    ] = False,
    all_of_data: Annotated[
        bool, flag("--all-of-data", "The model has learned exactly the rows of DATA.", DATA)
    ] = False,
    holdout: Annotated[
        str | None, value("DATA", "Rows new to the model; some audits need them.", DATA)
    ] = None,
    rest_is_holdout: Annotated[
        bool, flag("--rest-is-holdout", "Rows of DATA not in the model are new to it.", DATA)
    ] = False,
    method: Annotated[
        str, value("NAME", "See `unteach list methods`; auto is the cheapest accepted.", HOW)
    ] = "auto",
    accept: Annotated[
        str, value("CLAIMS", "What will do: exact, certified, heuristic.", HOW)
    ] = "exact,certified",
    dry_run: DryRun = False,
    no_audit: Annotated[bool, flag("--no-audit", "Do not compare with retraining.", HOW)] = False,
    out: Annotated[
        Path | None,
        value("PATH", "The new model; if not given, MODEL with .forgotten in its name.", _WRITTEN),
    ] = None,
    in_place: Annotated[
        bool, flag("--in-place", "Put the new model in the place of the old one.", _WRITTEN)
    ] = False,
    force: Annotated[bool, flag("--force", "Overwrite the file at --out.", _WRITTEN)] = False,
    report: Annotated[
        Path | None,
        value("PATH", "The HTML report; if not given, in the project folder.", _WRITTEN),
    ] = None,
    allow_pickle: Annotated[
        bool, flag("--allow-pickle", "Load a pickle; it can run any code.", _LOAD)
    ] = False,
    trusted: Annotated[
        list[str] | None, value("TYPE", "A type that a skops file may hold; again for more.", _LOAD)
    ] = None,
    store: StorePath = PROJECT,
    no_verify: Annotated[
        bool, flag("--no-verify", "Take your word for the recipe; do not learn it again.", HOW)
    ] = False,
    seed: Annotated[
        int | None, value("N", "Retrain with this; if not given, with the model's own.", HOW)
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a saved model forget rows or people, and audit it.

    The new model is written beside the old one. Nobody is named on the command line: values
    come from a file or from stdin, and reports and records name people by a digest under a key
    that `unteach purge --forget-names` deletes.
    """
    from unteach.core import BadInput

    from .asked import asked_for
    from .forgetting import Order, plan_forgetting

    if not model.name or model.is_dir():  # also "" and "."
        raise BadInput(f"MODEL is the folder {model}; give the file of a saved model")
    order = Order(
        model=model,
        data=data,
        ids_column=ids_column,
        target=target,
        group=group or group_column,
        group_is_feature=group_is_feature,
        leave_out=tuple(leave_out or ()),
        holdout=holdout,
        rest_is_holdout=rest_is_holdout,
        all_of_data=all_of_data,
        skip_missing=skip_missing,
        method=method,
        accept=tuple(word.strip() for word in accept.split(",") if word.strip()),
        audits=not no_audit,
        out=model if in_place else out or model.with_name(f"{model.stem}.forgotten{model.suffix}"),
        overwrite=force or in_place,
        in_place=in_place,
        report=report,
        store=store,
        allow_pickle=allow_pickle,
        trusted=tuple(trusted or ()),
        seed=seed,
        verify=not no_verify,
    )
    lists = [name for name in (ids, values_from) if name is not None]
    order.check(given_out=out, force=force, dry_run=dry_run, lists=lists)
    asked = asked_for(ids_file=ids, ids=one or (), group=group, values_from=values_from)
    planned = plan_forgetting(order, asked, dry_run=dry_run)
    if dry_run:
        from .dry_run import show_dry_run

        show_dry_run(planned, json=json)
    else:
        from .carry_out import carry_out

        carry_out(planned, json=json)
