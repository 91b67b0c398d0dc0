"""Pages of made-up numbers: what the report room is tested with and looked at."""

from __future__ import annotations

import numpy as np

from unteach.core import Reading, Table, stream
from unteach.report import (
    Boundary,
    Curves,
    Finding,
    Forest,
    Page,
    Prose,
    ReadingsBlock,
    Section,
    TableBlock,
)

KERNELS = ("linear", "poly", "rbf", "sigmoid")
DOSES = tuple(k / 10 for k in range(11))
WHO = ("support vectors", "random points", "other points")


def reading(name, value, half, *, unit="accuracy", better="higher", **more):
    settled = {"n": 20, "unit_of_replication": "data draws", "seeds": range(20)} | more
    return Reading(
        name, value, value - half, value + half * 0.9, unit=unit, better=better, **settled
    )


def dose_table(seed=0):
    rng = stream(seed, "dose")
    columns = {
        k: []
        for k in (
            "data",
            "kernel",
            "who",
            "dose",
            "accuracy",
            "low",
            "high",
            "before",
            "null_low",
            "null_high",
        )
    }
    falls = {"linear": 0.20, "poly": 0.14, "rbf": 0.26, "sigmoid": 0.10}
    for data, base in (("digits", 0.975), ("breast_cancer", 0.962)):
        for kernel in KERNELS:
            for who in WHO:
                for dose in DOSES:
                    lost = falls[kernel] * dose**2.2 if who == WHO[0] else 0.02 * dose**3
                    if who == WHO[2]:
                        lost = 0.0
                    missing = who == WHO[2] and data == "digits" and dose > 0.75
                    middle = base - lost + 0.002 * rng.normal()
                    half = 0.004 + 0.03 * dose * (who == WHO[0]) + 0.004 * dose
                    row = (
                        data,
                        kernel,
                        who,
                        dose,
                        None if missing else middle,
                        middle - half,
                        middle + half,
                        base,
                        base - 0.006,
                        base + 0.006,
                    )
                    for name, value in zip(columns, row, strict=True):
                        columns[name].append(value)
    units = {"dose": "share", "accuracy": "accuracy", "low": "accuracy", "high": "accuracy"}
    return Table(
        "dose response",
        columns,
        units,
        ("data", "kernel", "who", "dose"),
        "Held-out accuracy when a share of the points is forgotten.",
    )


def boundary_tables(frames=11, side=61, n=60, seed=0):
    """Return a surface and points that look like kernel machines losing their support vectors."""
    rng = stream(seed, "boundary")
    angle = rng.uniform(0, np.pi, n)
    upper = np.c_[np.cos(angle), np.sin(angle)] + 0.13 * rng.normal(size=(n, 2))
    lower = np.c_[1 - np.cos(angle), 0.5 - np.sin(angle)] + 0.13 * rng.normal(size=(n, 2))
    x = np.r_[upper, lower]
    y = np.r_[np.zeros(n), np.ones(n)]
    names = np.array(["upper moon", "lower moon"])[y.astype(int)]
    low, high = x.min(0) - 0.3, x.max(0) + 0.3
    gx, gy = np.meshgrid(np.linspace(low[0], high[0], side), np.linspace(low[1], high[1], side))
    grid = np.c_[gx.ravel(), gy.ravel()]
    surface = {
        k: []
        for k in (
            "kernel",
            "frame",
            "label",
            "nx",
            "ny",
            "x_low",
            "x_high",
            "y_low",
            "y_high",
            "grid",
            "accuracy",
            "n_forgotten",
            "note",
        )
    }
    points = {k: [] for k in ("kernel", "frame", "id", "x1", "x2", "label", "state")}

    def scores(kernel, at, kept):
        centre = {"linear": 9.0, "poly": 1.6, "rbf": 0.35, "sigmoid": 3.0}[kernel]
        near = ((at[:, None, :] - x[kept][None]) ** 2).sum(-1)
        weight = np.exp(-near / centre)
        signs = 2 * y[kept] - 1
        raw = (weight * signs).sum(1) / (weight.sum(1) + 1e-9)
        return raw * {"linear": 14.0, "poly": 4.5, "rbf": 2.2, "sigmoid": 6.0}[kernel]

    for kernel in KERNELS:
        everything = np.arange(2 * n)
        order = np.argsort(np.abs(scores(kernel, x, everything)))
        support = order[:30]
        for frame in range(frames):
            gone = support[: round(len(support) * frame / (frames - 1))]
            kept = np.setdiff1d(everything, gone)
            values = scores(kernel, grid, kept)
            none = kernel == "sigmoid" and frame == frames - 1
            right = float(np.mean((scores(kernel, x, kept) > 0) == (y > 0)))
            row = (
                kernel,
                frame,
                f"{10 * frame} % of the support vectors forgotten",
                side,
                side,
                low[0],
                high[0],
                low[1],
                high[1],
                None if none else np.round(values, 3),
                None if none else right,
                len(gone),
                "one class left: no model" if none else "",
            )
            for name, value in zip(surface, row, strict=True):
                surface[name].append(value)
            for k in range(2 * n):
                state = "zero"
                if k in support:
                    state = "forgotten" if k in gone else "free" if k % 2 else "bounded"
                row = (kernel, frame, k, round(x[k, 0], 3), round(x[k, 1], 3), names[k], state)
                for name, value in zip(points, row, strict=True):
                    points[name].append(value)
    return (
        Table("surface", surface, {"accuracy": "share"}, ("kernel", "frame")),
        Table("points", points, {}, ("kernel", "frame", "id")),
    )


def margin_page():
    readings, names = [], []
    for data in ("digits", "breast_cancer"):
        for k, kernel in enumerate(KERNELS):
            for who, drop in (("support vectors", 0.05 + 0.02 * k), ("random points", 0.004)):
                name = f"{data}, {kernel}: accuracy lost, half of the {who}"
                names.append(name)
                readings.append(
                    reading(
                        name,
                        drop,
                        0.008 + 0.004 * k,
                        better="zero",
                        table="dose response",
                    )
                )
    membership = reading(
        "membership of the forgotten rows",
        0.512,
        0.021,
        unit="AUC",
        better="lower",
        untouched=0.71,
        null=(0.47, 0.53),
        limit=0.99,
        n=400,
        unit_of_replication="examples",
        note="area under the curve of margins, forgotten against held out",
    )
    moved = reading(
        "share of the plane that changes side", 0.182, 0.03, unit="share", better="none"
    )
    still = Reading(
        "largest change when a non-support vector goes",
        3.1e-12,
        0.0,
        8.8e-12,
        400,
        "examples",
        (0,),
        "margin",
        "zero",
        table="points",
    )
    readings += [membership, moved, still]
    surface, points = boundary_tables()
    labels = {
        n: n.split(": ")[1].removeprefix("accuracy lost, half of the ")
        + ", "
        + n.split(", ")[1].split(":")[0]
        for n in names
    }
    blocks = (
        Section(
            "What moves",
            "The boundary in two dimensions: four kernels learn the same two "
            "moons, and lose their support vectors, largest memory first.",
        ),
        Boundary(
            "surface",
            "points",
            title="The boundary leaves when its memories leave",
            caption="Each frame is a model retrained without the points that are crossed "
            "out. The dotted line is the boundary before; by the last frame "
            "{share of the plane that changes side} of the plane has changed side.",
            classes=("upper moon", "lower moon"),
            notes=("accuracy", "n_forgotten"),
            labels={"n_forgotten": "forgotten", "accuracy": "accuracy"},
        ),
        Section(
            "What falls",
            "Held-out accuracy on real data, 20 data draws, paired, against as "
            "many random points and as many points that are no support vector.",
        ),
        Curves(
            "dose response",
            "dose",
            "accuracy",
            "low",
            "high",
            series="who",
            facet="kernel",
            row="data",
            title="Accuracy falls with support vectors, not with random points",
            caption="Bands are 95 % intervals over data draws, corrected for overlap. Doses "
            "at which no matched control exists are **not drawn**.",
            order=WHO,
            x_label="share forgotten",
            y_label="held-out accuracy",
            reference="before",
            reference_label="before forgetting",
            labels={"breast_cancer": "Breast cancer", "digits": "Digits"},
        ),
        Forest(
            tuple(names),
            title="Half of them forgotten",
            caption="Accuracy lost against the same model untouched.",
            labels=labels,
            headings={names[0]: "Digits", names[8]: "Breast cancer"},
        ),
        Section(
            "What does not",
            "A point that is no support vector holds nothing of the boundary, "
            "as long as kernel and C are fixed.",
        ),
        Prose(
            "At fixed kernel and C the decision function moves by at most "
            '{largest change when a non-support vector goes}. When `gamma="scale"` follows '
            "the data, it **does move**: the statistic is a memory too.\n\nBoth are shown."
        ),
        ReadingsBlock(
            (membership.name, moved.name, still.name), "What a forgotten record leaves behind."
        ),
        Curves(
            "dose response",
            "dose",
            "accuracy",
            "low",
            "high",
            series="who",
            where={"data": "digits", "kernel": "rbf"},
            title="One curve, closely",
            x_label="share forgotten",
            y_label="held-out accuracy",
            order=WHO,
            band=("null_low", "null_high"),
            band_label="null: retraining against retraining",
        ),
        TableBlock(
            "dose response",
            ("kernel", "who", "dose", "accuracy", "low", "high"),
            digits=3,
            caption="The first doses of the digits.",
            where={"data": "digits"},
            limit=8,
        ),
    )
    answer = (
        Finding(
            f"On digits, forgetting half of the support vectors costs {{{names[4]}}} of "
            f"accuracy with an rbf kernel; as many random points cost {{{names[5]}}}.",
            (names[4], names[5]),
            "holds",
        ),
        Finding(
            "On breast cancer it depends on the kernel: **linear** loses little, **sigmoid** "
            f"loses {{{names[14]}}}.",
            (names[8], names[14]),
            "mixed",
        ),
        Finding(
            "A forgotten point that is no support vector changes nothing at fixed kernel and C.",
            (still.name,),
            "fact",
        ),
        Finding(
            "That forgotten support vectors can still be told from unseen rows: membership "
            "scores {membership of the forgotten rows}, inside its null.",
            (membership.name,),
            "fails",
        ),
    )
    return Page(
        "Support vectors are the memories of a kernel machine",
        "What happens to the boundary, and to what it gets right on unseen data, when the "
        "support vectors are forgotten?",
        answer,
        blocks,
        "unteach study margin --seed 0 --out margin.html",
        "import unteach\nfrom unteach.studies import margin\n\npage = margin.run(seed=0)\n",
        {
            "unteach": "0.1.0",
            "Python": "3.12.4",
            "numpy": "2.1.0",
            "scikit-learn": "1.6.1",
            "machine": "x86_64, 2 cores",
            "data draws": 20,
            "seconds, measured": {"learning": 41.2, "drawing": 1.3},
            "data": "digits (1 797 rows), breast_cancer (569 rows)",
        },
        readings,
        (dose_table(), surface, points),
        kicker="Study 1 · margin · quick form",
    )


def small_page(name="tail"):
    drop = reading("accuracy lost on the rare group", 0.113, 0.04)
    common = reading("accuracy lost elsewhere", 0.004, 0.006)
    table = Table(
        "by rank",
        {"rank": [1, 2, 3, 4], "lost": [0.11, 0.06, 0.02, 0.0]},
        {"lost": "accuracy"},
        ("rank",),
    )
    return Page(
        "The long tail needs its memories",
        "What if the memorized data is unlearned?",
        (
            Finding(
                "The rare group loses {accuracy lost on the rare group}.", (drop.name,), "holds"
            ),
            Finding("The rest loses next to nothing.", (common.name,), "fact"),
        ),
        (
            Section("By rank"),
            Curves(
                "by rank",
                "rank",
                "lost",
                title="Most memorized first",
                zero_line=True,
                x_label="rank",
                y_label="accuracy lost",
            ),
        ),
        f"unteach study {name}",
        "",
        {"unteach": "0.1.0"},
        (drop, common),
        (table,),
        kicker="Study 2 · tail",
    )


def signed_page():
    """A page of differences: all negative, tiny, against a null of one value, and p-values."""
    base = {"unit": "accuracy", "better": "higher", "null": (0.0, 0.0)}
    worse = [
        reading(f"accuracy, {k} against untouched", -0.002 - 0.0013 * at, 0.0009, **base)
        for at, k in enumerate(KERNELS)
    ]
    rate = [
        reading(
            f"share of rows that {k} gets wrong",
            0.0031 + 0.002 * at,
            0.001,
            unit="share of the budget",
            better="none",
        )
        for at, k in enumerate(KERNELS)
    ]
    table = Table(
        "paired tests",
        {
            "kernel": list(KERNELS),
            "p value": [0.00017, 0.034, 0.9, 0.001],
            "kept": [0.33951, 1.0, 0.5, 0.00123],
        },
        {"p value": "p", "kept": "share"},
        ("kernel",),
        "One test a kernel; `kept` is what **remains**.",
    )
    names = tuple(r.name for r in worse + rate)
    return Page(
        "Every kernel loses",
        "Is what is left the model that never saw them?",
        (
            Finding(f"All four lose, rbf {{{worse[2].name}}}.", names[:2], "holds"),
            Finding("Whether the rows are gone cannot be told from 20 draws.", (), "unknown"),
            Finding("Asked: 40 rows, forgotten by retraining.", names[4:5], "done"),
        ),
        (
            Section("Differences"),
            Forest(names, title="All below zero", caption="Signed."),
            TableBlock("paired tests", digits={"kept": 3}),
        ),
        "unteach forget",
        "",
        {"unteach": "0.1.0"},
        tuple(worse + rate),
        (table,),
        kicker="Forget",
    )


def hostile_page():
    """A page whose every text tries to get out of its place."""
    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m'
    found = Reading(evil, 0.5, 0.4, 0.6, 3, "seeds", (1, 2, 3), evil, "none", note=evil)
    table = Table(
        evil, {evil: ["=1+1", evil], "x": [0.0, 1.0], "y": [0.0, 1.0]}, {evil: evil}, (), evil
    )
    return Page(
        evil,
        evil,
        (Finding(evil, (evil,), "mixed"),),
        (
            Section(evil, evil),
            Prose(evil),
            TableBlock(evil, caption=evil, labels={evil: evil}),
            Curves(
                evil, "x", "y", series=evil, title=evil, caption=evil, x_label=evil, y_label=evil
            ),
            Forest((evil,), evil, evil, {evil: evil}, {evil: evil}),
            ReadingsBlock((evil,), evil),
        ),
        evil,
        evil,
        {evil: evil, "a": {evil: evil}},
        (found,),
        (table,),
        evil,
    )
