"""A network that was trained here: what it says, where its weights go, how it is saved."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from unteach.core import (
    BadInput,
    Contents,
    Corrupt,
    Ids,
    Saved,
    as_ids,
    first_repeated,
    write_whole,
)

from .scaled_inputs import Scaled
from .validation import inputs

if TYPE_CHECKING:
    from .learner import Architecture, Recipe

LEARNERS: dict[str, type[Recipe]] = {}
"""The learners of this room by name; each enters itself."""


@dataclass(eq=False, repr=False)
class TrainedNetwork:
    """What `MLP` and `CNN` learn. It holds its weights and the ids of its records, no row.

    Attributes
    ----------
    learner_ : the `MLP` or `CNN` that made it · classes_ : (k,) labels, sorted
    sample_ids_ : (n,) the records that it learned, or None in a model that only serves

    Examples
    --------
    >>> from unteach.core import Rows
    >>> from unteach.models import MLP
    >>> x, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    >>> model = MLP(hidden=(8,)).learn(Rows(np.arange(4), {"x": x, "y": y}), seed=0)
    >>> model.decision_function(x).shape, model.predict(x)
    ((4, 2), array([0, 0, 1, 1]))
    >>> model
    <network of MLP: 1 features, 2 classes, 34 parameters, learned from 4 records>
    >>> zero = model.with_parameters(0 * model.parameters())
    >>> zero.predict_proba([[5.0]])
    array([[0.5, 0.5]])
    """

    learner_: Recipe
    architecture: Architecture
    flat: NDArray[np.float32]
    classes_: NDArray[Any]
    sample_ids_: Ids | None = None

    def __repr__(self) -> str:
        ids = self.sample_ids_
        known = "" if ids is None else f", learned from {len(ids):,} records"
        return (
            f"<network of {type(self.learner_).__name__}: {self.n_features_in_} features, "
            f"{len(self.classes_)} classes, {len(self.flat):,} parameters{known}>"
        )

    def decision_function(self, x: Any) -> NDArray[np.float32]:
        """Return the logits: (m, k), also for two classes."""
        rows, wanted = inputs(x), self.n_features_in_
        if rows.shape[1] != wanted:
            raise BadInput(f"rows have {rows.shape[1]} features; the network learned {wanted}")
        return self.architecture.logits(rows, self.architecture.packed(self.flat))

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """Return the probability of each class: (m, k)."""
        p: NDArray[np.float64] = softmax(self.decision_function(x).astype(np.float64), axis=1)
        return p

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the class with the largest logit: (m,)."""
        labels: NDArray[Any] = self.classes_[self.decision_function(x).argmax(axis=1)]
        return labels

    @property
    def n_features_in_(self) -> int:
        """How many numbers a row has."""
        return self.architecture.features

    def parameters(self) -> NDArray[np.float32]:
        """Return a copy of all parameters in one row, layer by layer, in the order of torch."""
        return self.flat.copy()

    def with_parameters(self, values: Any, *, sample_ids: Any = None) -> TrainedNetwork:
        """Return the same network with other parameters; this one stays as it is.

        values : (p,) finite, in the order of `parameters()`
        sample_ids : the records that it stands on from now; those of this model if None
        """
        given = np.asarray(values)
        if given.shape != self.flat.shape or given.dtype.kind not in "fiu":
            raise BadInput(
                f"parameters are {given.dtype} of shape {given.shape}; the network has "
                f"{self.flat.shape[0]} numbers"
            )
        flat = given.astype(np.float32)
        if not np.isfinite(flat).all():
            raise BadInput("parameters hold NaN or an infinity (as float32)")
        ids = self.sample_ids_
        if sample_ids is not None:
            ids = as_ids(sample_ids, what="sample_ids")
            twice = first_repeated(ids)
            if twice is not None:
                raise BadInput(f"sample_ids names {twice!r} twice; ids must be unique")
        return TrainedNetwork(self.learner_, self.architecture, flat, self.classes_, ids)

    def to_torch(self) -> Any:
        """Return a torch module with these weights: rows (m, d) float32 in, logits (m, k) out."""
        import torch

        module = self.architecture.module()
        torch.nn.utils.vector_to_parameters(torch.tensor(self.flat), module.parameters())
        return module

    def from_torch(self, module: Any, *, sample_ids: Any = None) -> TrainedNetwork:
        """Return the same network with the weights of a module that `to_torch` gave."""
        parts = [p.detach().cpu().numpy() for p in module.parameters()]
        shapes = tuple(tuple(part.shape) for part in parts)
        if shapes != self.architecture.shapes:
            raise BadInput(
                f"the module's parameters have the shapes {shapes}; the network's are "
                f"{self.architecture.shapes}: take a module that to_torch gave"
            )
        flat = np.concatenate([part.ravel() for part in parts])
        return self.with_parameters(flat, sample_ids=sample_ids)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model; `unteach.load` reads it."""
        return write_whole(path, self.to_saved().to_bytes(), private=True)

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write a model that only serves: without the ids of its records."""
        return write_whole(path, self.to_saved(serving=True).to_bytes())

    def to_saved(self, *, serving: bool = False) -> Saved:
        """Return what is written: settings, weights, labels, and (unless serving) ids."""
        config = {
            "learner": type(self.learner_).__name__,
            "settings": asdict(self.learner_),
            "features": self.n_features_in_,
            "serving": serving or self.sample_ids_ is None,
        }
        arrays: dict[str, Any] = {"parameters": self.flat, "classes": self.classes_}
        if isinstance(self.architecture, Scaled):
            arrays |= {"shift": self.architecture.shift, "factor": self.architecture.factor}
        if not serving and self.sample_ids_ is not None:
            arrays["ids"] = self.sample_ids_
        return Saved("unteach.models:TrainedNetwork", config, arrays)

    @classmethod
    def from_saved(cls, saved: Saved) -> TrainedNetwork:
        """Return the network that `to_saved` described."""
        kinds = LEARNERS
        held = Contents.of(saved)
        recipe = kinds[held.text("learner", *kinds)](**saved.config["settings"])
        classes = held.array("classes", "classes (k)")
        features = held.sizes["d"] = held.whole("features", least=1)
        if len(classes) < 2:
            raise Corrupt("a network of classes has two or more")
        shape = recipe.architecture(features, len(classes))
        # the compiled loops trust these sizes
        held.sizes["p"] = sum(math.prod(s) for s in shape.shapes)
        flat = held.array("parameters", "float32 (p)")
        if recipe.scale is not None:
            shift, factor = (held.array(name, "float32 (d)") for name in ("shift", "factor"))
            shape = Scaled(shape, shift, factor)
        ids = held.array("ids", "ids (n)") if "ids" in held else None
        return cls(recipe, shape, flat, classes, ids)
