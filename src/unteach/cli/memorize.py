"""`unteach memorize`: what a kind of model memorizes of each record of a data set."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import (
    PROJECT,
    AsJson,
    DataName,
    IdsColumn,
    Jobs,
    LeaveOut,
    Params,
    Scale,
    Scaling,
    Seed,
    StorePath,
    Target,
    flag,
    scaled,
    value,
)
from .screen import answers, counted, meanwhile, must_be_writable, noted, print_json
from .screen import print_labelled as labelled


def memorize(
    data: DataName,
    model: Annotated[
        str, value("NAME", "mlp, cnn, svc, knn, ridge, logistic; or MODULE:CLASS.")
    ] = "mlp",
    param: Params = None,
    models: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many models to train in all.")
    ] = 400,
    fraction: Annotated[
        float, value("SHARE", "Each model learns from this share of the records.")
    ] = 0.5,
    until: Annotated[
        float | None,
        value("WIDTH", "Go on until every interval is at most this wide to either side."),
    ] = None,
    threshold: Annotated[float, value("LEVEL", "A record counts as memorized above it.")] = 0.25,
    scale: Scale = Scaling.standard,
    unconverged: Annotated[
        bool, flag("--even-unconverged", "Show values of models that do not fit, and say so.")
    ] = False,
    table: Annotated[
        Path | None, value("FILE", "Write every record's values to a .csv or .parquet file.")
    ] = None,
    page: Annotated[
        Path | None, value("FOLDER", "Write a page: the most and the least memorized records.")
    ] = None,
    ids_column: IdsColumn = None,
    target: Target = None,
    leave_out: LeaveOut = None,
    jobs: Jobs = None,
    store: StorePath = PROJECT,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Measure how much of each record a model knows by heart.

    Trains many models on random subsets: how much more often is a record answered right by those
    that learned from it? It can be stopped at any moment; the same command goes on, and a larger
    --models adds to what is there.
    """
    from unteach.core import BadInput, NotConverged
    from unteach.memorize import Memories, check_flagging
    from unteach.report import page_json, print_page, write_page

    from .memorize_page import memorize_page
    from .sources import read_source

    check_flagging(threshold)
    if table is not None and table.suffix.lower() not in (".csv", ".parquet"):
        raise BadInput(f"--table takes a file that ends in .csv or .parquet, got {table}")
    for folder in (page, None if table is None else table.parent):
        if folder is not None:
            must_be_writable(folder)
    source = read_source(data, ids=ids_column, target=target, leave_out=leave_out or ())

    def again(models: int) -> str:
        said = _words(data, model, param, models, fraction, until, scale, source, seed)
        said += [] if threshold == 0.25 else ["--threshold", f"{threshold:g}"]
        said += ["--even-unconverged"] * unconverged
        said += [] if store == PROJECT else ["--store", str(store)]
        return shlex.join(said)

    x = scaled(source.records.x, scale)
    with noted() as notes:
        learner = _learner(model, param or ())
        study = Memories(
            x, source.records.y, learner=learner, store=store, seed=seed, ids=source.records.ids
        )
        _train(study, models, fraction, until, jobs, again=again(models))
        found = study.memorization(fraction, threshold=threshold, unconverged="flag")
    if not found.converged and not unconverged:
        raise NotConverged(
            f"the models are right on {found.accuracy:.3f} of the records that they were trained "
            "on, under 0.99: what they did not learn they seem not to memorize. Train for longer "
            "or take a more flexible model; or see the values as they are with "
            "--even-unconverged, which trains nothing anew"
        )
    trained = round(float(found.n_in[0] + found.n_out[0]))  # those there before count
    shown = memorize_page(found, source, model, learner, again(trained), seed)
    written: dict[str, str] = {}
    if table is not None:
        written["table"] = str(found.save(table))
    if page is not None:
        numbers = page / "memorize.json"
        written["page"] = str(write_page(shown, page / "index.html", also_json=numbers))
    if json:
        print_json({**page_json(shown), "notes": notes, "written": written})
        return
    print_page(shown, answers(), path=page / "index.html" if page is not None else None)
    if table is not None:
        labelled(answers(), "table", f"{table}, {counted(len(found.ids), 'record')}", 10)


def _words(
    data: str,
    model: str,
    param: list[str] | None,
    models: int,
    fraction: float,
    until: float | None,
    scale: Scaling,
    source: Any,
    seed: int,
) -> list[str]:
    """Return the command that does this again."""
    words = ["unteach", "memorize", data, "--model", model]
    for one in param or ():
        words += ["--param", one]
    words += ["--models", str(models), "--fraction", f"{fraction:g}"]
    words += [] if until is None else ["--until", f"{until:g}"]
    words += [] if scale is Scaling.standard else ["--scale", scale.value]
    return [*words, *source.options, "--seed", str(seed)]


def _learner(name: str, params: list[str] | tuple[str, ...]) -> Any:
    """Return what `Memories` trains: a name it knows at its defaults, else a learner made here.

    Networks are made here too: features come to them as --scale says, and by name they would
    scale them once more.
    """
    from unteach.memorize import LEARNERS

    from .learners import learner_called

    if name in LEARNERS and not params and name not in ("mlp", "cnn"):
        return name
    if name == "knn":
        return learner_called("neighbours", ["n_neighbors=1", *params])
    return learner_called(name, params)


def _train(
    study: Any, models: int, fraction: float, until: float | None, jobs: int | None, *, again: str
) -> None:
    """Train with a live line on stderr; when interrupted, say how to go on."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    console = meanwhile()
    shown = Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("[bold]memorize[/]"),
        BarColumn(bar_width=16),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("[dim]{task.description}[/]"),
        console=console,
        disable=not console.is_terminal,
    )
    with shown:
        line = shown.add_task("", total=models)

        def tick(done: int, total: int, what: str) -> None:
            shown.update(line, completed=done, total=total, description=what)

        try:
            study.run(models, fraction, until, jobs=jobs, progress=tick)
        except KeyboardInterrupt:
            console.print(
                f"stopped; what is finished stays. Go on with: {again}",
                markup=False,
                soft_wrap=True,
            )
            raise
