"""What a model holds inside: hidden features, layers of parameters, and how it learns again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, NeedsReference
from unteach.models import MLP, TrainedNetwork, parameters

Array = NDArray[np.float64]


def hidden(model: Any, x: Any) -> Array:
    """Return what the last hidden layer says of rows: (n, d).

    A model's own `hidden(x)`; for networks learned by `MLP`, the layer before the logits.

    Errors      NeedsReference for models that show no hidden layer: give `linear_probe` features

    Examples
    --------
    >>> from unteach.core import Rows
    >>> from unteach.models import MLP
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.array([0, 1, 0, 1])})
    >>> hidden(MLP(hidden=(8,)).learn(rows, seed=0), rows.x).shape
    (4, 8)
    """
    own = getattr(model, "hidden", None)
    if callable(own):
        return np.asarray(own(x), dtype=np.float64).reshape(len(x), -1)
    if not isinstance(model, TrainedNetwork) or not isinstance(model.learner_, MLP):
        raise NeedsReference(
            f"{type(model).__name__} shows no hidden layer; give it a method hidden(x) -> (n, d), "
            "or hand features to linear_probe"
        )
    parts = list(layers(model).values())
    said = model.architecture.seen(np.reshape(x, (len(x), -1))).astype(np.float64)
    for weight, bias in zip(parts[:-2:2], parts[1:-2:2], strict=True):
        said = np.maximum(said @ weight.reshape(len(bias), -1).T + bias, 0.0)  # (n, units)
    return said


def layers(model: Any) -> dict[str, Array]:
    """Return a model's parameters layer by layer: name -> (p,).

    Weights and biases of a compiled network in turn, the named parameters of a torch module,
    coefficients and intercept of a linear model.

    Errors      NeedsReference for models without parameters

    Examples
    --------
    >>> from unteach.models import Ridge
    >>> {k: len(v) for k, v in layers(Ridge().fit([[0.0], [1.0]], [1.0, 3.0])).items()}
    {'coefficients': 1, 'intercept': 1}
    """
    if isinstance(model, TrainedNetwork):
        shapes = model.architecture.shapes
        cuts = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]
        parts = np.split(model.parameters().astype(np.float64), cuts)
        return {f"{k // 2 + 1} {'bias' if k % 2 else 'weight'}": p for k, p in enumerate(parts)}
    module: Any = getattr(model, "module", None)
    if hasattr(module, "named_parameters"):
        return {
            name: np.asarray(p.detach().cpu().numpy(), dtype=np.float64).ravel()
            for name, p in module.named_parameters()
        }
    if hasattr(model, "coef_"):
        named = {"coefficients": model.coef_, "intercept": getattr(model, "intercept_", [])}
        return {k: np.asarray(v, dtype=np.float64).ravel() for k, v in named.items() if np.size(v)}
    whole = parameters(model)
    if whole is None:
        raise NeedsReference(f"{type(model).__name__} has no parameters to compare")
    return {"parameters": whole}


def learned_again(
    model: Any, x: Any, y: Any, at: Any, truth: Any, *, steps: int, lr: float
) -> Array:
    """Return the accuracy on other rows while a network learns rows again: (steps + 1,).

    Plain descent on the mean cross-entropy over all of x, one step after another, with the same
    length of step for every model.

    Parameters
    ----------
    model : a network learned by `MLP` or `CNN` · x, y : (n, d), (n,) what is learned again
    at, truth : (q, d), (q,) what is asked after 0, 1, ... steps · steps : at least 1 · lr : > 0

    Errors      NeedsReference for other models: give `Relearning` a function of your own

    Examples
    --------
    >>> from unteach.core import Rows
    >>> from unteach.models import MLP
    >>> rows = Rows(np.arange(4), {"x": np.eye(4), "y": np.array([0, 1, 0, 1])})
    >>> blank = MLP(hidden=(8,), epochs=0).learn(rows, seed=0)
    >>> float(learned_again(blank, rows.x, rows.y, rows.x, rows.y, steps=50, lr=0.5)[-1])
    1.0
    """
    if not isinstance(model, TrainedNetwork):
        raise NeedsReference(
            f"{type(model).__name__} cannot be taught further here; give Relearning(again=...) a "
            "function (model, rows, asked) -> accuracy after 0, 1, ... steps"
        )
    if steps < 1 or not lr > 0:
        raise BadInput(f"relearning takes at least 1 step of a length above 0, got {steps}, {lr}")
    shape, classes = model.architecture, model.classes_
    if not np.isin(y, classes).all():
        raise NeedsReference("a class to be learned again has no output in the model any more")
    rows = np.asarray(x, dtype=np.float32).reshape(len(y), -1)
    asked = np.asarray(at, dtype=np.float32).reshape(len(truth), -1)
    codes, packed = np.searchsorted(classes, y).astype(np.int32), shape.packed(model.parameters())
    said = [np.mean(classes[shape.logits(asked, packed).argmax(axis=1)] == truth)]
    for _ in range(steps):
        packed -= np.float32(lr) * shape.gradient(rows, codes, packed)
        said.append(np.mean(classes[shape.logits(asked, packed).argmax(axis=1)] == truth))
    return np.array(said, dtype=np.float64)
