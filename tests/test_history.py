"""Any history of learning, forgetting, changing, saving and loading ends where retraining does."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from model_histories import run
from unteach.checks import small_world
from unteach.core import Request, Rows
from unteach.kernel import SVC
from unteach.models import (
    Logistic,
    NaiveBayes,
    Neighbours,
    Pipeline,
    Ridge,
    Scaler,
    as_learner,
    classifies,
    load,
    save,
    scores,
)
from unteach.unlearn import Native, Sisa

CASES = {
    "ridge": (Native(), Ridge()),
    "logistic": (Native(), Logistic()),
    "bayes": (Native(), NaiveBayes()),
    "neighbours": (Native(), Neighbours(n_neighbors=3)),
    "svc": (Native(), SVC(gamma=0.3, C=5.0)),
    "linear svc": (Native(), SVC(kernel="linear")),
    "pipeline": (Native(), Pipeline([("scale", Scaler()), ("machine", Logistic())])),
    "sisa": (Sisa(shards=3), NaiveBayes()),
}


def history(method, estimator):
    """Return the state machine of one exact method."""
    learner = as_learner(method.prepare(estimator) if hasattr(method, "prepare") else estimator)
    world = small_world("classification" if classifies(estimator) else "regression")

    class History(RuleBasedStateMachine):
        @initialize()
        def learn(self):
            self.left, self.steps = world.records, 1
            self.model = learner.learn(self.left, seed=0)

        def _do(self, request):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                gone = method.forget(self.model, self.left, request, seed=0)
            assert gone.claim.kind == "exact"
            self.model, self.atol = gone.model, max(gone.claim.atol, getattr(self, "atol", 0.0))
            self.left, self.steps = request.applied_to(self.left), self.steps + 1

        @precondition(lambda self: len(self.left) > 40)
        @rule(data=st.data())
        def forget(self, data):
            pool = self.left.ids.tolist()
            self._do(
                Request(ids=data.draw(st.lists(st.sampled_from(pool), unique=True, max_size=4)))
            )

        @rule(data=st.data())
        def change(self, data):
            pool = self.left.ids.tolist()
            ids = data.draw(st.lists(st.sampled_from(pool), unique=True, min_size=1, max_size=3))
            old = self.left.select(ids)
            y = np.roll(np.asarray(old.y), 1)
            self._do(Request(replace=Rows(old.ids, {"x": np.asarray(old.x) * 0.9, "y": y})))

        @rule()
        def save_and_load(self):
            with TemporaryDirectory() as folder:
                path = Path(folder) / "model"
                save(self.model, path)
                self.model = load(path)

        @invariant()
        def equals_retraining(self):
            if not hasattr(self, "model"):
                return
            want = learner.learn(self.left, seed=0)
            x = np.vstack([world.records.x, world.holdout.x])
            allowed = getattr(self, "atol", 1e-8) * self.steps
            np.testing.assert_allclose(scores(self.model, x), scores(want, x), rtol=0, atol=allowed)

    return History


@pytest.mark.parametrize("name", CASES)
def test_any_history_ends_where_retraining_does(name):
    run_state_machine_as_test(
        history(*CASES[name]),
        settings=settings(
            max_examples=8,
            stateful_step_count=8,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_any_long_history_ends_where_retraining_does(name):
    run_state_machine_as_test(
        history(*CASES[name]),
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- histories in which much is refused: see model_histories --------------------------------------


def judged(numbers):
    """Hold histories to what is promised; an error that is no refusal ends the test itself."""
    found = [run(number) for number in numbers]
    assert not [(o.number, o.wrong) for o in found if o.wrong]
    assert sum(o.compared for o in found) > 10 * len(found)
    assert sum(sum(o.refused.values()) for o in found) > 3 * len(found)
    return found


def test_fifty_histories_with_refusals_equal_fresh_fits_after_every_step():
    kinds = sum((o.refused for o in judged(range(50))), start=Counter())
    assert {"BadInput", "NothingLeft", "RepeatedRecord", "UnknownRecord"} <= set(kinds)


@pytest.mark.slow
def test_five_hundred_histories_with_refusals_equal_fresh_fits_after_every_step():
    judged(range(50, 550))


def test_a_history_sees_what_is_wrong(monkeypatch):
    """A model that keeps what it should forget, and one that a refusal changes, do not pass."""
    exact = Ridge.forget

    def half(self, ids):
        return exact(self, ids if ids is None else list(ids)[:1])

    def changed(self, ids):
        self.alpha = 77.0
        return exact(self, ids)

    for forget in (half, changed):
        monkeypatch.setattr(Ridge, "forget", forget)
        assert any(run(number).wrong for number in range(1, 41, 8))
    monkeypatch.undo()
    assert not run(1).wrong
