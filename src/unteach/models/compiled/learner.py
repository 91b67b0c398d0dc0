"""What the compiled learners share: one network of records, or thousands of subsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import ClassifierTags, Tags, TargetTags

from unteach.core import BadInput, NotConverged, Progress, Records, derive

from ..foreign.estimator_learner import check_learnable
from ._kernels.random_numbers import spread
from .scaled_inputs import Scale, Scaled, scale_of
from .trained_network import LEARNERS, TrainedNetwork
from .validation import codes, counted, inputs, memberships, number, seeds_of

# The weights that training starts from, drawn from the seed of the network alone.


def start(shapes: tuple[tuple[int, ...], ...], seed: np.uint64) -> NDArray[np.float32]:
    """Return the parameters of all layers in one row, in the order of torch.

    Weights and biases are uniform in +- 1 / sqrt(inputs of the layer), which is how torch starts
    `Linear` and `Conv2d`.

    shapes : weight and bias of each layer
    """
    sizes = [int(np.prod(shape)) for shape in shapes]
    flat = np.empty(sum(sizes), np.float32)
    at = 0
    for i in range(0, len(shapes), 2):
        size = sizes[i] + sizes[i + 1]
        bound = np.float32(1 / np.sqrt(np.prod(shapes[i][1:])))
        spread(flat[at : at + size], at, seed, bound)
        at += size
    return flat


Singles = NDArray[np.float32]


class Architecture(Protocol):
    """A network of fixed sizes: how its parameters lie, and the compiled loops over them.

    Parameters come in one row in the order of torch (`flat`, float32), or laid out and padded
    as the kernels want them (`packed`, float32).
    """

    @property
    def features(self) -> int:
        """How many numbers a row has."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of weight and bias of each layer, as torch has them."""

    def seen(self, x: Any) -> Singles:
        """Return rows as the first layer sees them: (m, d) float32."""

    def packed(self, flat: Singles) -> Singles:
        """Return the parameters as the kernels want them."""

    def flat(self, packed: Singles) -> Singles:
        """Return the parameters in one row, in the order of torch."""

    def train(
        self, x: Singles, y: Any, rows: Any, seed: np.uint64, recipe: Recipe, packed: Singles
    ) -> None:
        """Train the packed parameters in place on these rows of x and y."""

    def logits(self, x: Singles, packed: Singles) -> Singles:
        """Return the logits of x: (m, k)."""

    def gradient(self, x: Singles, y: Any, packed: Singles) -> Singles:
        """Return the gradient of the mean cross-entropy over all of x, packed."""

    def module(self) -> Any:
        """Return a fresh torch module of this architecture."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings that every network trained here has: softmax cross-entropy, SGD, momentum.

    Parameters
    ----------
    epochs : passes over the rows, at least 0 · batch_size : rows a step; the last may be fewer
    lr : length of a step, above 0 · momentum : 0 to below 1
    weight_decay : at least 0; on all parameters, biases included, as in torch's SGD
    scale : None takes features as they are, and steps of .1 want them at about unit scale;
        "standard" brings each to mean 0 and standard deviation 1, "unit" all of them by one
        number. The constants are those of the rows that a network learns from, and stay with it:
        retraining takes them anew, and a method that takes steps keeps the old ones.
    """

    epochs: int = 30
    batch_size: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    scale: Scale | None = None

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        LEARNERS.setdefault(cls.__name__, cls)

    def __post_init__(self) -> None:
        counted("epochs", self.epochs, least=0)
        counted("batch_size", self.batch_size)
        number("lr", self.lr, above=0.0)
        number("momentum", self.momentum, below=1.0)
        number("weight_decay", self.weight_decay)
        scale_of(self.scale)

    def architecture(self, features: int, classes: int) -> Architecture:
        """Return the network for rows of so many features and for so many classes."""
        raise TypeError(f"{type(self).__name__} does not define its architecture")

    def learn(self, records: Records, *, seed: int) -> TrainedNetwork:
        """Return the network that these records train.

        records : x (n, d), or (n, ...) that is flattened; y (n,) labels of at least two classes

        Raises `BadInput` for what cannot be learned from, `OneClassLeft` for a single class,
        `NotConverged` where the weights ran away.
        """
        check_learnable(self, records)
        x, labels = inputs(records.x), np.asarray(records.y)
        if labels.ndim != 1:
            raise BadInput(f"y must be one label a record, got shape {labels.shape}")
        classes, y = np.unique(labels, return_inverse=True)
        shape = self._scaled(self.architecture(x.shape[1], len(classes)), x)
        rows, own = np.arange(len(x)), np.uint64(derive(seed, "learn"))
        packed = self._trained(shape, x, y.astype(np.int32), rows, own)
        ids = np.array(records.ids)
        return TrainedNetwork(self, shape, shape.flat(packed), classes, ids)

    def subset_outputs(
        self,
        x: Any,
        y: Any,
        members: Any,
        seeds: Any,
        at: Any,
        *,
        classes: int | None = None,
        progress: Progress | None = None,
    ) -> Singles:
        """Train one network a row of `members` and return what each says: logits (m, q, k).

        Network j depends on its own row of `members` and its own seed and on nothing else of
        the call, to the byte. Its initial weights depend on the seed alone, the order of its
        batches on the seed and on which rows it has. Between networks the call can be
        interrupted; it holds no lock of Python while it trains, so that threads can share the
        work.

        Parameters
        ----------
        x : (n, d) or (n, ...) finite · y : (n,) classes 0 to k - 1
        members : (m, n) bool, the training rows of each network, at least one each
        seeds : (m,) whole numbers of at least 0, one a network · at : (q, d) rows to answer
        classes : k; the largest class in y plus one if not given
        progress : called as progress(done, m, "networks")

        Examples
        --------
        >>> from unteach.models import MLP
        >>> x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
        >>> halves = np.array([[True, False, True, False], [False, True, False, True]])
        >>> said = MLP(hidden=(8,)).subset_outputs(x, [0, 0, 1, 1], halves, [0, 1], x)
        >>> said.shape, said.argmax(axis=2).tolist()
        ((2, 4, 2), [[0, 0, 1, 1], [0, 0, 1, 1]])
        """
        x, at = inputs(x), inputs(at, "at")
        y, k = codes(y, len(x), classes)
        if at.shape[1] != x.shape[1]:
            raise BadInput(f"rows of `at` have {at.shape[1]} features, those of x {x.shape[1]}")
        members = memberships(members, len(x))
        seeds = seeds_of(seeds, len(members))
        shape = self.architecture(x.shape[1], k)
        said = np.empty((len(members), len(at), k), np.float32)
        for j, (mine, seed) in enumerate(zip(members, seeds, strict=True)):
            rows = np.flatnonzero(mine)
            own = self._scaled(shape, x, rows)
            said[j] = own.logits(at, self._trained(own, x, y, rows, seed))
            if progress is not None:
                progress(j + 1, len(members), "networks")
        return said

    def _scaled(self, shape: Architecture, x: Singles, rows: Any = slice(None)) -> Architecture:
        return shape if self.scale is None else Scaled.of(shape, x[rows], self.scale)

    def _trained(
        self, shape: Architecture, x: Singles, y: Any, rows: Any, seed: np.uint64
    ) -> Singles:

        packed = shape.packed(start(shape.shapes, seed))
        shape.train(x, y, rows, seed, self, packed)
        if not np.isfinite(packed).all():
            raise NotConverged(
                f"the weights ran away in training on {len(rows)} rows (lr={self.lr}, "
                f"momentum={self.momentum}, inputs up to {np.abs(shape.seen(x)).max():.3g}): lower "
                "lr, or scale the features to about one, as scale='standard' does"
            )
        return packed

    def __sklearn_tags__(self) -> Tags:
        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
        )
