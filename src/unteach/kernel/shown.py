"""What a fitted classifier shows: computed after a fit, and after forgetting when first read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import Claim, Ids

from .certificate import Certificate, claimed
from .constants import Constants
from .decision import Decision, of_input
from .machine import Machine
from .slots import Slots
from .threads import one_thread

Array = NDArray[Any]
LATER = (
    "_machine", "certificate_", "claim_", "n_iter_", "_decision", "support_", "support_ids_",
    "support_vectors_", "n_support_", "dual_coef_", "intercept_",
)  # fmt: skip


class Shows:
    """Adds to `SVC` what scikit-learn shows of a machine, and when it is computed."""

    _params: dict[str, Any]
    _constants: Constants
    _machine: Machine
    _slots: Slots | None
    _labels: Array
    _weights: Array
    sample_ids_: Ids
    classes_: Array
    _input = "dense"
    claim_: Claim
    certificate_: Certificate

    @one_thread
    def __getattr__(self, name: str) -> Any:
        """Compute what forgetting left to be computed: `_slots` is then the whole truth."""
        if name in self.__dict__:  # computed by another thread while we waited for our turn
            return self.__dict__[name]
        slots = self.__dict__.get("_slots") if name in LATER else None
        if slots is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if name == "certificate_":
            self.certificate_ = slots.certificate
        elif name == "claim_":
            self.claim_ = claimed(self.certificate_, self._given)
        elif name == "_machine":
            self._machine = slots.machine()
        else:
            self.n_iter_ = np.array([p.moves for p in slots.pairs])
            self._serve(Decision.of(self._machine), self._constants, self.classes_)
            self.support_ = self._decision.support
            self.support_ids_ = self.sample_ids_[self.support_]
        return self.__dict__[name]

    def _adopt_slots(self, slots: Slots, *, given: tuple[str, ...]) -> None:
        """Take on what is left after forgetting; what it shows is computed when it is read."""
        for name in LATER:
            self.__dict__.pop(name, None)
        self._slots, self._given = slots, given

    def _adopt(
        self, params: dict[str, Any], fixed: Constants, machine: Machine, labels: Array,
        weights: Array, ids: Ids, classes: Array, *, given: tuple[str, ...],
    ) -> None:  # fmt: skip
        """Take on a machine and what scikit-learn shows of it."""
        self._params, self._constants, self._machine = params, fixed, machine
        self._slots = None
        self._labels, self._weights = labels, weights
        self.sample_ids_ = ids
        if ids.dtype.kind == "i":  # a number that was forgotten is never given to another row
            self._next_id = max(getattr(self, "_next_id", 0), int(ids.max()) + 1)
        self.certificate_ = machine.certificate
        self.claim_ = claimed(self.certificate_, given)
        self.n_iter_ = np.array([p.moves for p in machine.pairs])
        self._serve(Decision.of(machine), fixed, classes)
        self.support_ = self._decision.support
        self.support_ids_ = ids[self.support_]
        if params["kernel"] == "precomputed":
            self.n_features_in_ = len(ids)

    def _serve(self, decision: Decision, fixed: Constants, classes: Array) -> None:
        """Take on what predictions need."""
        self._decision, self._constants = decision, fixed
        self.classes_ = classes
        self.class_weight_ = fixed.class_weight
        self.gamma_ = fixed.kernel.gamma
        self.support_vectors_ = of_input(decision.vectors, self._input)
        self.n_support_ = np.bincount(decision.codes, minlength=len(classes)).astype(np.int32)
        sign = -1.0 if len(classes) == 2 else 1.0
        self.dual_coef_ = of_input(sign * decision.dual(len(classes)), self._input)
        self.intercept_ = sign * np.array([rho for *_, rho in decision.pairs])
