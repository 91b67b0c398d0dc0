"""Certificates that are broken on purpose, each in the way that one law alone catches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from broken.exact import BROKEN_EXACT
from broken.methods import Broken
from broken.stored import BROKEN_STORED
from unteach.core import Certified, Forgotten
from unteach.unlearn import Newton


@dataclass(frozen=True)
class RefundsItself(Newton, Broken):
    """Starts every request with a fresh budget."""

    caught_by = "budget_is_spent_and_never_refunded"
    wrong = "a hundred requests cost as much as one"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Step, after setting the ledger back to training."""
        if self.sigma == 0 or len(request.targets(records)) == 0:
            return super().forget(model, records, request, seed=seed)
        fresh = replace(model.ledger_, entries=model.ledger_.entries[:1])
        return super().forget(model.changed(model.coef_, fresh), records, request, seed=seed)


@dataclass(frozen=True)
class NeverRefuses(Newton, Broken):
    """Goes on when the budget is spent."""

    caught_by = "refuses_beyond_the_budget"
    wrong = "it certifies what its own ledger does not cover"

    def prepare(self, learner: Any = None) -> Any:
        """Return the learner with a noise that covers training whatever is asked."""
        return replace(super().prepare(None), epsilon=max(self.epsilon, 1e-3))


@dataclass(frozen=True)
class LooserWhenStricter(Newton, Broken):
    """Multiplies by what it should divide by: stricter privacy is easier to certify.

    A published package's bound did: 4.9, 48.8, 488 and 4882 for epsilon 10, 1, 0.1 and 0.01.
    """

    caught_by = "stricter_is_never_easier"
    wrong = "the certificate loosens as epsilon tightens"

    def prepare(self, learner: Any = None) -> Any:
        """Return the learner with the budget upside down, for ordinary epsilons."""
        usual = self.epsilon > 1e-3
        return replace(super().prepare(None), epsilon=1 / self.epsilon if usual else self.epsilon)


@dataclass(frozen=True)
class CertifiesSilence(Newton, Broken):
    """Claims a certificate although there is no noise to hide anything."""

    caught_by = "no_noise_no_certificate"
    wrong = "a Newton step without noise is heuristic"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Step, and claim."""
        gone = super().forget(model, records, request, seed=seed)
        return Forgotten(gone.model, Certified(self.epsilon, self.delta), gone.cost)


@dataclass(frozen=True)
class BoundsFromBelow(Newton, Broken):
    """Spends an estimate that can be smaller than the residual it should bound.

    Published code estimates the spectral norm by a few power iterations, from below, where an
    upper bound is needed, and leaves the residual of training out.
    """

    caught_by = "bound_holds_the_residual"
    wrong = "the ledger says less than what is really left"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Step, and enter a hundredth of the residual."""
        gone = super().forget(model, records, request, seed=seed)
        if self.sigma == 0 or len(request.targets(records)) == 0:
            return gone
        *old, last = gone.model.ledger_.entries
        low = replace(last, bound=last.residual / 100)
        ledger = replace(gone.model.ledger_, entries=(*old, low))
        return Forgotten(gone.model.changed(gone.model.coef_, ledger), gone.claim, gone.cost)


@dataclass(frozen=True)
class HidesNothing(Newton, Broken):
    """Steps half the way, and accounts for a whole step."""

    caught_by = "measured_epsilon_stays_under_the_claim"
    wrong = "the books are in order and the models tell the worlds apart"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Return the model nearly as it was, with a ledger as if it had stepped."""
        gone = super().forget(model, records, request, seed=seed)
        if len(request.targets(records)) == 0:
            return gone
        shifted = gone.model.coef_ + 20 * (model.coef_ - gone.model.coef_)
        return Forgotten(gone.model.changed(shifted, gone.model.ledger_), gone.claim, gone.cost)


@dataclass(frozen=True)
class DoesNothingBehindNoise(Newton, Broken):
    """Returns the model as it was, but for its last bit, and enters next to nothing."""

    sigma: float = 3.0
    caught_by = "measured_epsilon_stays_under_the_claim"
    wrong = "an untouched model is certified, behind more noise than a few records pull"

    def forget(self, model: Any, records: Any, request: Any, *, seed: int) -> Forgotten:
        """Do the books."""
        gone = super().forget(model, records, request, seed=seed)
        if self.sigma == 0 or len(request.targets(records)) == 0:
            return gone
        ledger = model.ledger_.spend("forget", 1, bound=1e-4, residual=0.0)
        still = replace(gone.model, coef_=model.coef_ + 1e-12, ledger_=ledger)
        return Forgotten(still, gone.claim, gone.cost)


BROKEN_CERTIFIED: tuple[Any, ...] = (
    RefundsItself(),
    NeverRefuses(),
    LooserWhenStricter(),
    CertifiesSilence(),
    BoundsFromBelow(),
    HidesNothing(),
    DoesNothingBehindNoise(),
)

BROKEN_METHODS: tuple[Any, ...] = (*BROKEN_EXACT, *BROKEN_CERTIFIED, *BROKEN_STORED)
"""Every broken method; the suite must catch each by the law that it names."""
