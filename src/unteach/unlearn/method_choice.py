"""One door to forgetting: choose a method whose claim is accepted, and run it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from unteach.core import (
    BadInput,
    BudgetSpent,
    Claim,
    Forgotten,
    NoRoute,
    Records,
    Request,
    Unlearner,
    plugins,
)
from unteach.models import origin_of

from .certified.langevin import Langevin
from .certified.newton import Newton
from .certified.noisy_descent import NoisyDescent
from .controls.do_nothing import DoNothing
from .controls.over_forget import OverForget
from .curvature.ekfac import EKFAC
from .curvature.influence import Influence
from .exact.native import Native
from .exact.retrain import Retrain
from .exact.sisa import Sisa
from .gradient.amnesiac import Amnesiac
from .gradient.bad_teacher import BadTeacher
from .gradient.boundary_shrink import BoundaryShrink
from .gradient.finetune import FineTune
from .gradient.gradient_ascent import GradientAscent
from .gradient.l1_sparse import L1Sparse
from .gradient.neggrad import NegGradPlus
from .gradient.random_label import RandomLabel
from .gradient.rewind import Rewind
from .gradient.rum import RUM
from .gradient.scrub import SCRUB
from .gradient.task_vector import TaskVector
from .gradient.unsir import UNSIR
from .selective.fisher_noise import FisherNoise
from .selective.last_layers import CFk, EUk
from .selective.salun import SalUn
from .selective.ssd import SSD, LabelFreeSSD
from .selective.token_rows import TokenRows

METHODS: tuple[type, ...] = (
    Retrain,
    DoNothing,
    OverForget,
    Native,
    Sisa,
    Newton,
    NoisyDescent,
    Langevin,
    FineTune,
    GradientAscent,
    NegGradPlus,
    RandomLabel,
    SCRUB,
    SalUn,
    SSD,
    LabelFreeSSD,
    RUM,
    L1Sparse,
    BadTeacher,
    FisherNoise,
    CFk,
    EUk,
    BoundaryShrink,
    UNSIR,
    Influence,
    EKFAC,
    Amnesiac,
    TaskVector,
    TokenRows,
    Rewind,
)
"""Every method that the package exports; the checks run on all of them."""

_KINDS = ("exact", "certified", "heuristic")


def method_named(name: str) -> Any:
    """Return the method of this name with its default parameters; plugins are looked up too.

    >>> method_named("do_nothing"), type(method_named("neggrad+")).__name__
    (DoNothing(), 'NegGradPlus')
    """
    wanted = name.replace("+", "plus").replace("-", "").replace("_", "").lower()
    known = {m.__name__: m for m in METHODS} | plugins("unteach.methods")
    for label, method in known.items():
        if label.replace("_", "").replace("-", "").lower() == wanted:
            return method()
    raise BadInput(f"no method {name!r}; there are {sorted(known)}")


def route(
    model: Any,
    records: Records,
    request: Request,
    *,
    accept: Iterable[str] = ("exact", "certified"),
    seed: int | None = None,
    fit_params: Mapping[str, Any] | None = None,
    verify: bool = True,
) -> tuple[Unlearner, Claim]:
    """Return the cheapest method whose claim is accepted, and that claim; nothing is done yet.

    Tried in this order: the Newton step and SISA where the model was learned for them, the
    model's own exact `forget`, retraining (which learns once from all records where it has to
    show that it reproduces the model). Raises NoRoute with every reason when none serves.
    seed, fit_params, verify : as for `forget`
    """
    accepted = _accepted(accept)
    reasons = []
    again = Retrain(fit_params=fit_params, verify=verify)
    own: tuple[Any, ...] = (Newton(), Sisa(), Native())
    for method in (*own, again):
        name = type(method).__name__
        try:
            claim: Claim = (
                again.promise(model, records, request, seed=seed)
                if method is again
                else method.promise(model, records, request)
            )
        except (NoRoute, BudgetSpent) as refusal:
            reasons.append(f"{name}: {refusal}")
            continue
        if claim.kind in accepted:
            return method, claim
        reasons.append(f"{name}: it would be {claim}")
    raise NoRoute(f"no method forgets this under {', '.join(accepted)}. " + "; ".join(reasons))


def forget(
    model: Any,
    records: Records,
    ids: Any = None,
    groups: Any = None,
    *,
    preserve: Any = None,
    replace: Any = None,
    method: Any = "auto",
    accept: Iterable[str] = ("exact", "certified"),
    seed: int | None = None,
    fit_params: Mapping[str, Any] | None = None,
    verify: bool = True,
) -> Forgotten:
    """Make a model forget records, and say what is promised about the result.

    Parameters
    ----------
    model : a fitted model: one of ours, of scikit-learn, or what a learner returned
    records : the records it was learned from
    ids, groups, preserve, replace : the request, see `unteach.core.Request`
    method : "auto" takes the cheapest whose claim is accepted; or a method, or its name
    accept : kinds of claim that will do: "exact", "certified", "heuristic"
    seed : None retrains with the seeds that the model was learned with, its own integer
        `random_state` among them; a number (at least 0) replaces these, and the claim says so
    fit_params : what the model's `fit` was given besides x and y, such as {"sample_weight": w};
        arrays with one entry a record are cut along with the records. For retraining: a model
        that forgets by itself holds its own
    verify : of a model that unteach did not learn itself exactness is shown: its recipe is
        learned once from all records and must give that model. False takes your word for it,
        and the claim says so

    Returns
    -------
    Forgotten with `.model`, `.claim` and `.cost`. The model that was given is not changed.

    Errors
    ------
    NoRoute when no method serves under the accepted claims; UnknownRecord, RepeatedRecord,
    EmptyRequest, NothingLeft, OneClassLeft.

    Examples
    --------
    >>> from unteach.data import load
    >>> from unteach.models import NaiveBayes, learn
    >>> rows = load("digits")
    >>> model = learn(NaiveBayes(), rows)
    >>> gone = forget(model, rows, groups=[3])
    >>> gone.claim.kind, 3 in gone.model.classes_
    ('exact', False)
    """
    request = Request(ids=ids, groups=groups, preserve=preserve, replace=replace)
    how: dict[str, Any] = {"fit_params": fit_params, "verify": verify}
    if isinstance(method, str) and method == "auto":
        method, _ = route(model, records, request, accept=accept, seed=seed, **how)
    else:
        method = method_named(method) if isinstance(method, str) else method
        if not isinstance(method, Unlearner):
            raise BadInput(f"method is 'auto', a name or an object with forget, got {method!r}")
        if how != {"fit_params": None, "verify": True}:
            if not isinstance(method, Retrain):
                raise BadInput(f"fit_params and verify are for retraining, not {method!r}")
            method = dataclasses.replace(method, **how)
    gone: Forgotten = method.forget(model, records, request, seed=seed_for(method, model, seed))
    if gone.claim.kind not in _accepted(accept):
        raise NoRoute(
            f"{type(method).__name__} is {gone.claim}; accepted is {', '.join(_accepted(accept))}: "
            f"say accept={gone.claim.kind!r} if that will do"
        )
    return gone


def seed_for(method: Any, model: Any, seed: int | None) -> Any:
    """Return the seed that a method takes: the number given, or that of the model, or 0.

    Retraining takes None as it is, and keeps the model's own.
    """
    if seed is not None or isinstance(method, Retrain):
        return seed
    origin = origin_of(model)
    return 0 if origin is None else origin.seed


def _accepted(accept: Iterable[str]) -> tuple[str, ...]:
    accepted = (accept,) if isinstance(accept, str) else tuple(accept)
    strange = [kind for kind in accepted if kind not in _KINDS]
    if strange or not accepted:
        raise BadInput(f"accept holds some of {_KINDS}, got {accepted}")
    return accepted
