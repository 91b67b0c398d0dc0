"""The steps of a pipeline: how one is fitted again, and what they claim together."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from unteach.core import BadInput, Claim, Exact, Heuristic

from .exact.pipeline_rows import Raw


def combined(claims: list[Claim]) -> Claim:
    """Return what holds if all of these hold, step after step.

    >>> combined([Exact(0.0, given=("a",)), Exact(1e-9)])
    Exact(atol=1e-09, sense='values', given=('a',), basis='construction')
    """
    for claim in claims:
        if not isinstance(claim, Exact):
            return claim if len(claims) == 1 else Heuristic(f"a step claims no more than: {claim}")
    exact = [claim for claim in claims if isinstance(claim, Exact)]
    given = tuple(dict.fromkeys(g for claim in exact for g in claim.given))
    sense: Any = "values" if all(c.sense == "values" for c in exact) else "distribution"
    return Exact(max([0.0, *(claim.atol for claim in exact)]), sense, given)


def passes(step: Any) -> bool:
    """Return whether a step lets its rows through as they are."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def public_step(name: str, step: Any) -> Any:
    """Return a step that was fitted on public rows, copied; one that was not is refused."""
    try:
        check_is_fitted(step)
    except NotFittedError as error:
        raise BadInput(
            f"the public step {name!r} is not fitted; fit it on public rows first"
        ) from error
    return clone(step)


def refitted(step: Any, z: Any, raw: Raw | None, ids: Any, *, last: bool) -> tuple[Any, Any]:
    """Return a clone of the step fitted on rows z, and (unless it is the last) what it gives."""
    if raw is None:
        raise BadInput("this pipeline holds no rows to fit its steps on; learn it again")
    fresh = clone(step)
    given = {"sample_ids": ids} if has_fit_parameter(fresh, "sample_ids") else {}
    if raw.weight is not None and has_fit_parameter(fresh, "sample_weight"):
        given["sample_weight"] = raw.weight
    elif raw.weight is not None and last:
        raise BadInput(f"{type(fresh).__name__} takes no sample_weight")
    if last:
        fresh.fit(z, *(() if raw.y is None else (raw.y,)), **given)
        return fresh, None
    if hasattr(fresh, "fit_transform"):
        return fresh, fresh.fit_transform(z, raw.y, **given)
    fresh.fit(z, raw.y, **given)
    return fresh, fresh.transform(z)


def unseeded(step: Any) -> bool:
    """Return whether anything random in a step has no seed."""
    parameters = step.get_params(deep=True)
    return any(
        value is None and (name == "random_state" or name.endswith("__random_state"))
        for name, value in parameters.items()
    )
