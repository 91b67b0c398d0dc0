"""`unteach fit`: learn a model from a bundled set or a file, measure it, save it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    DATA,
    PROJECT,
    AsJson,
    DataName,
    IdsColumn,
    LeaveOut,
    ModelName,
    Params,
    Seed,
    StorePath,
    Target,
    flag,
    value,
)
from .screen import (
    answers,
    counted,
    folded,
    must_be_writable,
    noted,
    print_json,
    print_labelled,
    seconds,
)

if TYPE_CHECKING:
    from unteach.core import Rows
    from unteach.stats import Interval

    from .sources import Source


def fit(
    data: DataName,
    out: Annotated[Path, value("PATH", "Where the model is written.")],
    model: ModelName = "svc",
    param: Params = None,
    scale: Annotated[
        bool, flag("--scale", "Standardize the features first; mlp and cnn do.")
    ] = False,
    ids_column: IdsColumn = None,
    target: Target = None,
    group: Annotated[
        str | None, value("COLUMN", "The column that says whose row it is; no feature.", DATA)
    ] = None,
    leave_out: LeaveOut = None,
    holdout: Annotated[
        float,
        typer.Option(min=0, max=0.9, metavar="SHARE", help="Held out to measure; 0 for none."),
    ] = 0.2,
    prepare: Annotated[
        str | None, value("METHOD", "Learn the way that sisa or newton needs.")
    ] = None,
    force: Annotated[bool, flag("--force", "Overwrite the file at --out.")] = False,
    allow_pickle: Annotated[
        bool, flag("--allow-pickle", "Pickle a model that nothing else can save.")
    ] = False,
    store: StorePath = PROJECT,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Learn a model, measure it, and save it.

    The model that is saved has learned from all records; the number printed is that of a model
    of the same kind that never saw the held-out ones. Where a model cannot say from which rows
    it was learned, the project records it, by digests. With --group, whole groups are held out.
    """
    from unteach.core import BadInput, Stopwatch, derive, write_whole
    from unteach.models import as_learner, classifies, saved_of

    from .learners import learner_called, must_suit, own_scale, with_own_scale
    from .lineage import record_learning
    from .sources import read_source
    from .trust import needed_to_load

    if out.exists() and not force:
        raise BadInput(f"{out} exists; give another --out, or --force")
    must_be_writable(out.parent)
    source = read_source(
        data, ids=ids_column, target=target, group=group, leave_out=leave_out or ()
    )
    estimator = with_own_scale(learner_called(model, param or ()), param or ())
    must_suit(estimator, source.records)
    inside = own_scale(estimator)
    if scale and inside is None:
        from unteach.models import Pipeline, Scaler

        if not hasattr(estimator, "fit"):
            raise BadInput(f"--scale goes with estimators and {model} is none; scale the data")
        estimator = Pipeline([("scale", Scaler()), ("model", estimator)])
    learner: Any = as_learner(estimator)
    if prepare is not None:
        from unteach.core import Prepares

        from .learners import method_called

        method = method_called(prepare)
        if not isinstance(method, Prepares):
            raise BadInput(f"{prepare} forgets from any model; leave --prepare out")
        learner = method.prepare(estimator)
    measured, held = None, 0
    with noted() as notes, Stopwatch() as watch:
        if holdout > 0:
            train, test = _parts(source.records, holdout, seed, whole=group is not None)
            held = len(test)
            trial = learner.learn(train, seed=derive(seed, "fit", "trial"))
            measured = _quality(trial, test, seed, grouped=group is not None)
        learned = learner.learn(source.records, seed=derive(seed, "fit"))
        own = _own(learned, source.records, seed)
    raw = saved_of(learned, allow_pickle=allow_pickle).to_bytes()
    if getattr(learned, "sample_ids_", None) is None:
        record_learning(store, raw, source.records, learner=model)
    write_whole(out, raw, private=True)
    elsewhere = ["--store", str(store)] if store != PROJECT else []
    kind = "accuracy" if classifies(learned) else "R2"
    keeps = str(learned.keeps()) if hasattr(learned, "keeps") else None
    following = _following(source, out, group, [*needed_to_load(out), *elsewhere])
    if json:
        print_json(
            {
                "model": str(out),
                "learned": type(learned).__name__,
                "scale": inside or ("standard" if scale else None),
                "records": len(source.records),
                "held_out": held,
                "measured": None if measured is None else {"kind": kind, **vars(measured)},
                "of_its_own": {"kind": kind, "value": own},
                "keeps": keeps,
                "seconds": watch.seconds,
                "notes": notes,
                "next": following,
            }
        )
        return
    from rich.text import Text

    screen = answers()
    screen.print()
    name = type(learned).__name__
    lines = [("learned", f"{name} from {counted(len(source.records), 'record')} of {source.name}")]
    if inside is not None:
        how = "each feature" if inside == "standard" else "all features by one number"
        lines.append(("scaled", f"{how}, in the network; not with --param scale=None"))
    if measured is not None:
        lines.append((kind, f"{measured.value:.3f} [{measured.low:.3f}, {measured.high:.3f}]"))
        lines.append(
            (
                "",
                f"95 % over {measured.n} {measured.unit_of_replication}; "
                f"{counted(held, 'record')} held out",
            )
        )
    worse = measured is not None and own < measured.low
    lines.append(
        (
            "its own",
            f"{own:.3f} on the records that it learned"
            + (
                ": worse than held out, so that this one failed; try another --seed, a lower "
                "lr, or more epochs"
                if worse
                else ""
            ),
        )
    )
    if keeps is not None:
        lines.append(("it keeps", keeps))
    lines += [("took", seconds(watch.seconds)), ("written", str(out))]
    for label, text in lines:
        print_labelled(screen, label, text, 10)
    screen.print()
    command = folded(following, 12, screen.width)
    screen.print(Text.assemble(("  next      ", "dim"), (command, "cyan")), soft_wrap=True)
    screen.print()


def _parts(records: Rows, holdout: float, seed: int, *, whole: bool) -> tuple[Rows, Rows]:
    """Return records to learn from and to test on; whole groups where there are ten or more."""
    import numpy as np

    from unteach.core import stream
    from unteach.data import split

    if not whole or records.groups is None or len(np.unique(records.groups)) < 10:
        parts = split(records, holdout=holdout, seed=seed)
        return parts.train, parts.holdout
    named, at = np.unique(records.groups, return_inverse=True)
    order = stream(seed, "fit", "groups").permutation(len(named))
    test = np.isin(at, order[: max(1, round(holdout * len(named)))])
    return records.take(~test), records.take(test)


def _quality(model: Any, test: Rows, seed: int, *, grouped: bool) -> Interval:
    """Return the accuracy (or R2) on held-out records, resampled by group where there are any."""
    import numpy as np

    from unteach.models import classifies
    from unteach.stats import bootstrap_interval, cluster_bootstrap, proportion_interval

    said, true = np.asarray(model.predict(test.x)), np.asarray(test.y)
    if classifies(model):
        values = np.asarray(said == true, dtype=np.float64)
        if not grouped:
            right = int(values.sum())
            return proportion_interval(right, len(values), unit_of_replication="records")
    else:
        values = 1 - (said - true) ** 2 / max(float(np.var(true)), 1e-300)
    if grouped and test.groups is not None and len(np.unique(test.groups)) > 1:
        return cluster_bootstrap(
            values, test.groups, _mean, unit_of_replication="groups", seed=seed
        )
    return bootstrap_interval(values, _mean, unit_of_replication="records", seed=seed)


def _own(model: Any, records: Rows, seed: int) -> float:
    """Return the accuracy (or R2) of a model on records that it learned, 2,000 at most."""
    import numpy as np

    from unteach.core import stream

    some = np.arange(len(records))
    if len(some) > 2000:
        some = np.sort(stream(seed, "fit", "own").choice(some, size=2000, replace=False))
    return _quality(model, records.take(some), seed, grouped=False).value


def _mean(values: Any) -> float:
    return float(values.mean())


def _following(source: Source, out: Path, group: str | None, trust: list[str]) -> str:
    """Return the command that comes next: what would be forgotten, and how."""
    import shlex

    words = ["unteach", "forget", str(out), "--data", source.name, *source.options]
    words += ["--ids", "-"] if group is None else ["--group", group, "--values-from", "-"]
    return shlex.join([*words, *trust, "--dry-run"])
