"""Random histories of a kernel machine: what is drawn, what is done, and how the end is judged.

A history is a value made from its number. Its machine is learned from 40 to 200 rows, then rows
are forgotten, inserted and reweighted at random, at least 20 times, support vectors by
preference; in the end (and once on the way) it is compared with a cold fit on what it holds.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from unteach.core import BadInput, NotConverged, OneClassLeft, UnteachError
from unteach.kernel import SVC, SVR, DataDependentStatistics, NuSVC, NuSVR, OneClassSVM
from unteach.kernel._downdate import slots as machines

KERNELS = ("linear", "poly", "rbf")
PLAIN = ("normal", "clusters", "noise")
DEGENERATE = ("duplicates", "opposite duplicates", "grid", "tiny class")
OTHERS = (NuSVC, SVR, NuSVR, OneClassSVM)
SAME = 1e-8


@dataclass(frozen=True)
class Case:
    """What a history is drawn from."""

    number: int
    machine: type
    structure: str
    params: dict[str, Any]
    labels: int
    anchored: bool

    @property
    def name(self) -> str:
        many = " (3 classes)" if self.labels == 3 else ""
        return self.machine.__name__ + many

    @property
    def calm(self) -> bool:
        """Say whether not converging is excluded: rbf and C up to 100."""
        return self.params["kernel"] == "rbf" and self.params.get("C", 1.0) <= 100


def case(number: int) -> Case:
    """Return the case of this number: every third is degenerate, three in ten are no SVC."""
    rng = np.random.default_rng([2026, number])
    structure = str(rng.choice(DEGENERATE if number % 3 == 2 else PLAIN))
    kernel = KERNELS[(number // 3) % 3]
    kind = (number // 9) % 10
    machine = SVC if kind < 7 else OTHERS[(number // 90) % 4]
    labels = 3 if kind == 6 else 2
    params: dict[str, Any] = {"kernel": kernel}
    if kernel != "linear":
        params["gamma"] = float(10.0 ** rng.uniform(-1.5, 0.7)) if kernel == "rbf" else 0.3
    if kernel == "poly":
        params |= {"coef0": 1.0, "degree": int(rng.integers(2, 4))}
    if machine in (SVC, SVR, NuSVR):
        params["C"] = float(10.0 ** rng.uniform(-3, 3))
    if machine is SVR:
        params["epsilon"] = float(rng.choice([0.0, 0.05, 0.3]))
    if machine in (NuSVC, NuSVR, OneClassSVM):
        params["nu"] = float(rng.choice([0.1, 0.25, 0.5, 0.8]))
    return Case(number, machine, structure, params, labels, bool(rng.integers(0, 2)))


def rows_of(c: Case, rng: Any, n: int) -> tuple[Any, Any]:
    """Return n rows and their targets."""
    d = int(rng.integers(1, 7))
    x = rng.normal(size=(n, d))
    if c.structure == "clusters":
        x = 2.0 * rng.normal(size=(6, d))[rng.integers(0, 6, n)] + 0.7 * x
    if c.structure == "grid":
        x = rng.integers(0, 3, size=(n, d)).astype(float)
    if "duplicates" in c.structure:
        x = x[rng.integers(0, max(2, n // 3), size=n)]
    noise = {"noise": 1.5, "clusters": 0.3}.get(c.structure, 0.5)
    score = x[:, 0] + noise * rng.normal(size=n)
    if c.machine in (SVR, NuSVR):
        return x, np.round(score) if c.structure == "grid" else score
    if c.structure == "duplicates":  # the same row has the same label
        score = x[:, 0]
    if c.structure == "opposite duplicates":
        score = rng.normal(size=n)
    y = np.digitize(score, np.quantile(score, np.arange(1, c.labels) / c.labels))
    if c.structure == "tiny class":
        y = np.where(rng.random(n) < 0.04, 1, np.where(y == 1, 0, y))
        y[:2] = 1
    y[: c.labels] = np.arange(c.labels)
    return x, y


@dataclass
class Outcome:
    """What came of a history; differences are in units of the decision function.

    refused : operations that no machine could follow (infeasible nu, one class left), by name
    coarse : operations after which rounding left a KKT residual above 1e-10, and the claim says so
    by_anchor, by_solver : forgettings that anchors settled, and those that fell back to the solver
    """

    number: int
    operations: int = 0
    refused: int = 0
    coarse: int = 0
    unconverged: int = 0
    residual: float = 0.0
    apart: float = 0.0
    claimed: float = 0.0
    bias_apart: float = 0.0
    bias_compared: int = 0
    wrong: int = 0
    by_anchor: int = 0
    by_solver: int = 0
    canonical: str = ""
    why: list[str] = field(default_factory=list)


def run(number: int) -> Outcome:
    """Live through the history of this number and compare."""
    c, out = case(number), Outcome(number)
    before = machines.LARGE
    machines.LARGE = 8 if c.anchored else before  # small pairs keep no anchor otherwise
    try:
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", DataDependentStatistics)
            _live(c, out)
    finally:
        machines.LARGE = before
    return out


def _live(c: Case, out: Outcome) -> None:
    rng = np.random.default_rng([2026, c.number, 1])
    n, steps = int(rng.integers(40, 201)), int(rng.integers(20, 31))
    pool = 6 * steps + n
    x, y = rows_of(c, rng, pool)
    probe = rng.normal(size=(12, x.shape[1])) * 1.2
    weight = np.ones(pool)
    held = list(range(n))
    spare = n
    model = _begun(c, out, x[held], y[held], held)
    if model is None:
        return
    make = {**c.params, **{k: v for k, v in model.get_params().items() if k == "nu"}}
    for step in range(steps):
        operation = rng.choice(["forget", "forget", "insert", "reweight"])
        many = int(rng.choice([1, 1, 1, 2, 5, 12]))
        if operation == "forget" and len(held) <= 45:
            operation = "insert"
        if operation == "insert" and len(held) > 190:
            operation = "forget"
        new = list(range(spare, spare + min(many, 5)))
        preferred = model.support_ids_ if rng.random() < 0.8 else model.sample_ids_
        chosen = rng.choice(preferred, min(many, len(preferred), len(held) - 40), replace=False)
        chosen = chosen if len(chosen) else rng.choice(held, 1)
        weights = rng.choice([0.0, 0.25, 0.5, 2.0, 3.0], size=len(chosen))
        try:
            if operation == "forget":
                model.forget(chosen)
                held = [i for i in held if i not in set(chosen.tolist())]
                if c.anchored:
                    _route(model, out)
            elif operation == "insert":
                model.partial_fit(x[new], y[new], sample_ids=new)
                held, spare = held + new, new[-1] + 1
            else:
                model.reweight(chosen, weights)
                weight[chosen] = weights
        except (BadInput, NotConverged, OneClassLeft) as error:
            _failed(out, error)
            continue
        out.operations += 1
        out.residual = max(out.residual, float(model.certificate_.kkt_residual))
        out.coarse += model.certificate_.kkt_residual > 1e-10
        if step == steps // 2:
            _compare(make, out, model, x, y, weight, held, probe, last=False)
    _compare(make, out, model, x, y, weight, held, probe, last=True)


def _begun(c: Case, out: Outcome, x: Any, y: Any, ids: list[int]) -> Any:
    """Return the machine learned first; nu is another share where there is no such machine."""
    nus = [c.params["nu"], 0.05, 0.3, 0.6, 0.9, 0.02] if c.machine is NuSVC else [None]
    for nu in nus:
        params = c.params if nu is None else {**c.params, "nu": nu}
        try:
            return c.machine(**params).fit(x, y, sample_ids=ids)
        except (BadInput, NotConverged) as error:
            _failed(out, error)
    return None


def _failed(out: Outcome, error: Exception) -> None:
    """Count a named refusal: no such machine exists, or the solver did not converge."""
    if isinstance(error, NotConverged) and "leaves no margin" not in str(error):
        out.unconverged += 1
        out.why.append(str(error))
    else:
        out.refused += 1


def _route(model: Any, out: Outcome) -> None:
    """Count which way each pair of an SVC went."""
    if isinstance(model, SVC):
        held = model._slots  # None after the plain way
        out.by_anchor += held is not None and any(p.anchored for p in held.pairs)
        out.by_solver += held is None


def _compare(
    make: dict[str, Any],
    out: Outcome,
    model: Any,
    x: Any,
    y: Any,
    weight: Any,
    held: list[int],
    probe: Any,
    *,
    last: bool,
) -> None:
    """Compare with a cold fit on the rows held."""
    try:
        fresh = type(model)(**make)
        fresh.fit(x[held], y[held], sample_weight=weight[held], sample_ids=held)
    except (BadInput, NotConverged) as error:
        _failed(out, error)
        return
    a, b = model._decision.values(probe), fresh._decision.values(probe)  # (m, pairs)
    rho_a = np.array([rho for *_, rho in model._decision.pairs])
    rho_b = np.array([rho for *_, rho in fresh._decision.pairs])
    apart = float(np.abs((a - rho_a) - (b - rho_b)).max())
    unique = np.array([p.certificate.n_free > 0 for p in parts(fresh)])
    bias = float(np.abs(rho_a - rho_b)[unique].max(initial=0.0))
    out.apart, out.bias_apart = max(out.apart, apart), max(out.bias_apart, bias)
    out.bias_compared += int(unique.sum())
    claimed = max(getattr(m.claim_, "atol", np.inf) for m in (model, fresh))
    out.claimed = max(out.claimed, claimed)
    if max(apart, bias) > claimed:
        out.wrong += 1
        out.why.append(f"{max(apart, bias):.2g} from a cold fit, claimed {claimed:.2g}")
    if last:
        shas = [m.canonicalize().certificate_.canonical for m in (model, fresh)]
        out.canonical = "degenerate" if "" in shas else "equal" if len(set(shas)) == 1 else "other"
        if out.canonical == "other":
            out.why.append("other canonical bytes than a cold fit")


def parts(model: Any) -> Any:
    """Return the solved problems of a machine."""
    return (model._machine if isinstance(model, SVC) else model._parts).pairs


@dataclass
class Wild:
    """What came of a wild history: its steps, refusals by name, and claims that did not hold."""

    number: int
    steps: int = 0
    refused: int = 0
    compared: int = 0
    exact: int = 0
    wrong: list[str] = field(default_factory=list)


def run_wild(number: int) -> Wild:
    """Live through a short history that tries what nobody should do, and compare its claims.

    Few rows, of any scale, shifted by up to 1e6, repeated, of weight zero; any rows are forgotten,
    all of them included. A refusal must have a name and leave the machine as it was.
    """
    rng, out = np.random.default_rng([77, number]), Wild(number)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", DataDependentStatistics)
        _live_wildly(rng, out)
    return out


def _drawn_wildly(rng: Any, number: int) -> tuple[Any, Any, Any]:
    """Return a machine, rows (60, d) and their targets."""
    machine = (SVC, *OTHERS)[number % 5]
    x = rng.normal(size=(60, int(rng.integers(1, 4))))
    if rng.random() < 0.3:
        x = np.round(x)
    if rng.random() < 0.3:
        x = x[rng.integers(0, 8, size=60)]
    score = x[:, 0] + 0.5 * rng.normal(size=60)
    x *= 10.0 ** rng.choice([-4.0, 0.0, 0.0, 3.0])
    x[:, -1] += rng.choice([0.0, 0.0, 1e3, 1e6])
    y = np.digitize(score, [0.0] if rng.random() < 0.7 else [-0.5, 0.5])
    params: dict[str, Any] = {"kernel": str(rng.choice(["linear", "rbf", "poly", "sigmoid"]))}
    params["gamma"] = float(10.0 ** rng.uniform(-4, 1))
    params["coef0"] = float(rng.choice([0.0, 1.0]))
    if machine in (SVC, SVR, NuSVR):
        params["C"] = float(rng.choice([1e-3, 1.0, 100.0, 1e5, np.inf]))
    if machine in (NuSVC, NuSVR, OneClassSVM):
        params["nu"] = float(rng.choice([0.05, 0.3, 0.5, 1.0]))
    if machine is SVR:
        params["epsilon"] = float(rng.choice([0.0, 0.1]))
    return machine(**params), x, score if machine in (SVR, NuSVR) else y


def _live_wildly(rng: Any, out: Wild) -> None:
    model, x, y = _drawn_wildly(rng, out.number)
    n = int(rng.integers(2, 25))
    weight = np.where(rng.random(60) < 0.15, 0.0, rng.choice([0.5, 1.0, 3.0], size=60))
    held, spare = np.arange(n), n
    try:
        model.fit(x[:n], y[:n], sample_weight=weight[:n])
    except UnteachError:
        out.refused += 1
        return
    for _ in range(8):
        what = str(rng.choice(["forget", "forget", "insert", "reweight", "look"]))
        some = rng.choice(held, int(rng.integers(1, len(held) + 1)), replace=False)
        new = np.arange(spare, min(spare + 3, 60))
        before = _standing(model)
        try:
            if what == "forget":
                model.forget(some)
                held = np.setdiff1d(held, some)
            elif what == "insert" and len(new):
                model.partial_fit(x[new], y[new], sample_ids=new, sample_weight=weight[new])
                held, spare = np.append(held, new), int(new[-1]) + 1
            elif what == "reweight":
                chosen = rng.choice([0.0, 0.0, 1.0, 2.5])
                model.reweight(some, chosen)
                weight[some] = chosen
            else:
                name, *args = [
                    ("leave_one_out",),
                    ("canonicalize",),
                    ("forget_path", some[0]),
                    ("without", some[:1]),
                ][int(rng.integers(0, 4))]
                getattr(model, name)(*args)
            out.steps += 1
        except UnteachError:
            out.refused += 1
            now = _standing(model)
            if any(not np.array_equal(a, b) for a, b in zip(before, now, strict=True)):
                out.wrong.append(f"{what} was refused and left another machine")
        _compare_wildly(out, model, x[held], y[held], weight[held], held)


def _standing(model: Any) -> tuple[Any, ...]:
    return (
        model.sample_ids_,
        model._weights,
        model.dual_coef_,
        model.intercept_,
        str(model.claim_),
    )


def _compare_wildly(out: Wild, model: Any, x: Any, y: Any, weight: Any, held: Any) -> None:
    """Compare the claims with a fresh fit, at the rows held."""
    if model.sample_ids_.tolist() != held.tolist():
        out.wrong.append("other ids than those held")
        return
    try:
        fresh = type(model)(**model.get_params()).fit(x, y, sample_weight=weight, sample_ids=held)
    except UnteachError:
        return
    out.compared += 1
    mine, theirs = model._decision.values(x), fresh._decision.values(x)
    if not np.isfinite(mine).all():
        out.wrong.append("values that are not finite")
    if "heuristic" in (model.claim_.kind, fresh.claim_.kind):
        return
    out.exact += 1
    used = weight > 0
    for m in (model, fresh):
        scale = np.abs(m._decision.values(x[used])).max()
        if m.claim_.atol > 1.01e-6 * scale:
            out.wrong.append(f"exact within {m.claim_.atol:.3g} beside values of {scale:.3g}")
    apart = np.abs(mine - theirs).max()
    if apart > model.claim_.atol + fresh.claim_.atol:
        out.wrong.append(f"{apart:.3g} from a fresh fit, claimed {model.claim_.atol:.3g}")
