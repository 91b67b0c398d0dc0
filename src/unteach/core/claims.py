"""Claims: what a method promises. A claim is a value; audits decide whether it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from .errors import BadInput

_BASES = {
    "construction": "",
    "reproduction": ", verified by reproduction",
    "word": ", on the user's word that the recipe is the one that was used",
}


@dataclass(frozen=True)
class Exact:
    """The same model as retraining without the records.

    Parameters
    ----------
    atol : largest absolute difference of any output, at least 0
    sense : "values" if the outputs themselves agree, "distribution" if their distribution
        over the randomness of learning does
    given : constants that were held fixed (a kernel width, a scaler fitted on public data);
        the claim holds relative to them
    basis : on what it rests: "construction", where unteach learned the model itself or the model
        owns its forget; "reproduction", where the recipe, learned again from all records, gave
        the model that was handed in; "word", the user's, that the recipe is the one that was used

    >>> print(Exact(0.0, basis="reproduction"))
    exact (within 0), verified by reproduction
    """

    atol: float = 1e-8
    sense: Literal["values", "distribution"] = "values"
    given: tuple[str, ...] = ()
    basis: Literal["construction", "reproduction", "word"] = "construction"
    kind: ClassVar[str] = "exact"

    def __post_init__(self) -> None:
        if not self.atol >= 0:
            raise BadInput(f"atol must be at least 0, got {self.atol!r}")
        if self.basis not in _BASES:
            raise BadInput(f"basis is one of {sorted(_BASES)}, got {self.basis!r}")

    def __str__(self) -> str:
        how = "" if self.sense == "values" else ", in distribution"
        given = f", given {', '.join(self.given)}" if self.given else ""
        return f"exact (within {self.atol:g}{how}{given}){self.ground}"

    @property
    def ground(self) -> str:
        """Words that end a sentence about the claim; none where it rests on construction."""
        return _BASES[self.basis]


@dataclass(frozen=True)
class Certified:
    """(epsilon, delta)-indistinguishable from retraining, under the listed assumptions.

    >>> str(Certified(1.0, 1e-4, ("requests do not depend on published models",)))
    'certified (epsilon 1, delta 0.0001)'
    """

    epsilon: float
    delta: float
    assumptions: tuple[str, ...] = field(default=())
    kind: ClassVar[str] = "certified"

    def __post_init__(self) -> None:
        if not (self.epsilon > 0 and 0 <= self.delta < 1):
            raise BadInput(f"need epsilon > 0 and 0 <= delta < 1, got {self.epsilon}, {self.delta}")

    def __str__(self) -> str:
        return f"certified (epsilon {self.epsilon:g}, delta {self.delta:g})"


@dataclass(frozen=True)
class Heuristic:
    """No promise; only an audit can speak. `because` says why nothing more is claimed."""

    because: str = ""
    kind: ClassVar[str] = "heuristic"

    def __str__(self) -> str:
        return f"heuristic ({self.because})" if self.because else "heuristic"


Claim = Exact | Certified | Heuristic


def claim_json(claim: Claim) -> dict[str, Any]:
    """Return a claim as plain values.

    >>> claim_json(Heuristic("no bound"))
    {'kind': 'heuristic', 'because': 'no bound'}
    """
    plain = {
        k: list(v) if isinstance(v, tuple) else v
        for k, v in vars(claim).items()
        if (k, v) != ("basis", "construction")
    }
    return {"kind": claim.kind, **plain}


def claim_from(data: dict[str, Any]) -> Claim:
    """Return the claim that `claim_json` wrote.

    >>> claim_from(claim_json(Exact(0.0, given=("gamma=0.1",))))
    Exact(atol=0.0, sense='values', given=('gamma=0.1',), basis='construction')
    """
    kinds: dict[str, Any] = {c.kind: c for c in (Exact, Certified, Heuristic)}
    data = dict(data)
    kind = kinds.get(data.pop("kind", ""))
    if kind is None:
        raise BadInput(f"a claim is one of {sorted(kinds)}")
    claim: Claim = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})
    return claim
