"""A trained network: it predicts, and it is the one face that gradient methods see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unteach.core import (
    BadInput,
    Contents,
    Corrupt,
    Diverged,
    LazyColumn,
    Records,
    Saved,
    Stream,
    Untrusted,
)

from .checkpoint import tensors_from_bytes, tensors_to_bytes
from .contexts import copied, evaluating, tensors_of
from .forward import embeds, outputs_of, tensor_in
from .layers import Factory, factory_from, factory_json
from .training_options import Trace, Training

Loss = Literal["cross_entropy", "squared", "next_token"]
_ROWS = 4096  # read at once when predicting
_BLOB = "module.safetensors"
KINDS = {
    "cross_entropy": "NetworkClassifier",
    "squared": "NetworkModel",
    "next_token": "SequenceModel",
}


@dataclass(frozen=True, eq=False)
class Batch:
    """Records as tensors: inputs (b, ...), targets (b,) codes or (b, t) numbers, weights or None.

    The weights (b,) sum to 1: they give every group the same say when a stream was drawn from.
    """

    x: Tensor
    y: Tensor
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)


class NetworkModel:
    """A module with what is needed to use it: predict numbers, save, and train further.

    `NetworkClassifier` and `SequenceModel` answer with labels and with tokens. `Network.learn`
    returns it, and `Network.of` makes it of a module that is trained already. It
    obeys `core.Trainable`: methods copy it (`copy.deepcopy`) and move the copy's parameters.

    Parameters
    ----------
    module : (b, ...) to (b, t) numbers (logits, for the other kinds): a tensor, or `logits` of a
        dict or an object, such as the outputs of transformers
    classes : (k,) the label of each output; None for numbers
    loss : one loss a record: here "squared", the mean over its t numbers
    how : the settings it was trained with; device, dtype and batch size are used from now on
    learner : the recipe, for those who retrain; None if nobody knows it
    digest : of the ids that it stands on, or None
    """

    reduction: Literal["sum", "mean"] = "mean"

    def __init__(
        self,
        module: nn.Module,
        *,
        classes: NDArray[Any] | None,
        loss: Loss,
        how: Training,
        learner: Any = None,
        digest: str | None = None,
    ) -> None:
        self.module = moved(module, how).eval()
        self.loss, self.how, self.learner_, self.ids_digest_ = loss, how, learner, digest
        if classes is not None:
            self.classes_ = classes
        self.trace_ = Trace(())
        self._whole = embeds(module)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        made = memo[id(self)] = type(self).__new__(type(self))
        made.__dict__ = copied(self.__dict__, self.module, memo)
        return made

    def __repr__(self) -> str:
        classes = getattr(self, "classes_", None)
        numbers = sum(p.numel() for p in self.module.parameters())
        said = "" if classes is None else f"{len(classes)} classes, "
        name, module = type(self).__name__, type(self.module).__name__
        return f"<{name}: {module}, {said}{numbers:,} parameters>"

    # what learns

    @property
    def training(self) -> bool:
        """Whether dropout and the like are on."""
        return self.module.training

    def train(self, mode: bool = True) -> Self:
        """Switch dropout and the like on or off."""
        self.module.train(mode)
        return self

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield the parameters that may move."""
        return (p for p in self.module.parameters() if p.requires_grad)

    def state_dict(self) -> dict[str, Tensor]:
        """Return all parameters and buffers by name."""
        return dict(self.module.state_dict())

    def batches(self, records: Records | Stream, rng: np.random.Generator) -> Iterable[Any]:
        """Yield the records in batches, in an order drawn from rng; of a stream one fresh batch."""
        size = self.how.batch_size
        if isinstance(records, Stream):
            drawn = records.draw(size, seed=int(rng.integers(2**31)))
            yield self.batch(drawn, balanced=True)
            return
        order, x, y = rng.permutation(len(records)), records.x, records.y
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            yield self._batch(_picked(x, rows), _picked(y, rows), None)

    def batch(self, records: Records, *, balanced: bool = False) -> Any:
        """Return records as one batch; balanced gives every group the same weight."""
        return self._batch(records.x, records.y, self._weights(records) if balanced else None)

    def _batch(self, x: Any, y: Any, weight: Tensor | None) -> Any:
        return Batch(self._inputs(x), self._targets(y), weight)

    def pair(self, records: Records) -> tuple[Tensor, Tensor]:
        """Return records as inputs and targets, for code that is not ours."""
        return self._inputs(records.x), self._targets(records.y)

    def outputs(self, batch: Any) -> Tensor:
        """Return what the module says of a batch: (b, k)."""
        return outputs_of(self.module, batch.x)

    def losses(self, batch: Any) -> Tensor:
        """Return one loss a record: (b,)."""
        off: Tensor = (self.outputs(batch) - batch.y) ** 2  # (b, t)
        return off.mean(dim=1)

    def mean_loss(self, batch: Any) -> Tensor:
        """Return the mean of the losses, weighted where the batch has weights."""
        losses, weight = self.losses(batch), batch.weight
        return losses.mean() if weight is None else torch.dot(losses, weight.to(losses.dtype))

    def hidden(self, batch: Any, layer: str) -> Tensor:
        """Return what the named part of the module gives on a batch, first axis the records."""
        parts = dict(self.module.named_modules())
        if layer not in parts:
            raise BadInput(f"the module has no part {layer!r}; there are {sorted(parts)[1:]}")
        caught: list[Tensor] = []
        # a copy: what follows may change the layer's own outputs in place
        handle = parts[layer].register_forward_hook(
            lambda m, i, said: caught.append(tensor_in(said).clone())
        )
        try:
            self.outputs(batch)
        finally:
            handle.remove()
        if not caught:
            raise BadInput(f"forward never calls the part {layer!r}; name another")
        return caught[-1]

    def take_over(self, made: Any, name: str, records: Records) -> None:
        """Go on with what code of the user's own returned: a module, or None for the one it had.

        Errors      BadInput for anything else, or outputs for other classes; Diverged
        """
        if made is not None and not isinstance(made, nn.Module):
            raise BadInput(f"{name} returned {type(made).__name__}; return a module, or None")
        self.module = moved(self.module if made is None else made, self.how)
        self._whole = embeds(self.module)
        self.train(False)
        for p in self.module.parameters():
            p.grad = None
        check_finite(self, f"{name} left")
        wanted = len(getattr(self, "classes_", ()))
        found = self.width(records.take(np.arange(1)).x) if made is not None and wanted else wanted
        if found != wanted:
            raise BadInput(
                f"{name} returned a module of {found} outputs for {wanted} classes; make them equal"
            )

    # what predicts

    def predict(self, x: Any) -> NDArray[Any]:
        """Return the numbers of each row: (n,), or (n, t) for several."""
        said = self.outputs_at(x)
        return said[:, 0] if said.shape[1] == 1 else said

    def width(self, x: Any) -> int:
        """Return how many numbers the module gives for a row."""
        return int(self.outputs_at(x).shape[1])

    def outputs_at(self, x: Any) -> NDArray[np.float64]:
        """Return the module's outputs: (n, k) float64."""
        parts = []
        with evaluating(self), torch.no_grad():
            for start in range(0, len(x) if isinstance(x, list) else x.shape[0], _ROWS):
                said = outputs_of(self.module, self._inputs(x[start : start + _ROWS]))
                parts.append(said.double().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, 1))

    def _inputs(self, x: Any) -> Tensor:
        """Return rows as a tensor: whole numbers where the module embeds tokens, else floats."""
        dense = x.toarray() if hasattr(x, "toarray") else np.asarray(x)
        if dense.dtype.kind not in "fiub":
            raise BadInput(f"x holds {dense.dtype}; a network takes numbers")
        whole = self._whole and (dense.dtype.kind != "f" or np.array_equal(dense, np.trunc(dense)))
        kind = torch.int64 if whole else getattr(torch, self.how.dtype)
        return torch.as_tensor(np.array(dense, order="C")).to(self.how.device, kind)

    def _targets(self, y: Any) -> Tensor:
        numbers = np.array(y, dtype=np.float64).reshape(len(y), -1)
        return torch.as_tensor(numbers).to(self.how.device, getattr(torch, self.how.dtype))

    def _weights(self, records: Records) -> Tensor | None:
        """Return weights by which every group counts alike, however many its records: (b,)."""
        if records.groups is None:
            return None
        _, which, counts = np.unique(records.groups, return_inverse=True, return_counts=True)
        weight = 1.0 / (counts[which] * len(counts))
        return torch.as_tensor(weight).to(self.how.device, getattr(torch, self.how.dtype))

    # what is written

    def to_saved(self, *, serving: bool = False) -> Saved:
        """Return what is written: parameters and buffers as safetensors, the rest as JSON."""
        made_by = getattr(self.learner_, "module", None)
        classes = getattr(self, "classes_", None)
        config = {
            "loss": self.loss,
            "reduction": self.reduction,
            "how": self.how.to_json(),
            "factory": factory_json(made_by),
            "digest": None if serving else self.ids_digest_,
            "wants": None if classes is None else classes.dtype.str,
        }
        arrays = {} if classes is None else {"classes": classes}
        blob = tensors_to_bytes(tensors_of(self))
        return Saved(f"unteach.models:{type(self).__name__}", config, arrays, {_BLOB: blob})

    @classmethod
    def from_saved(cls, saved: Saved, *, factory: Factory | None = None) -> Self:
        """Return the model that `to_saved` described.

        A module of the user's own cannot be made from the file: `Network(module=factory).load`
        hands in the factory.
        """
        from unteach.models import Network

        config, held = saved.config, Contents.of(saved)
        loss: Any = held.text("loss", *(k for k, v in KINDS.items() if v == cls.__name__))
        tensors = tensors_from_bytes(saved.blobs[_BLOB])
        classes = held.array("classes", "labels (k)") if loss == "cross_entropy" else None
        if classes is not None and len(np.unique(classes)) != len(classes):
            raise Corrupt("the saved network names a class twice")
        if factory is None:
            if config["factory"] is None:
                raise Untrusted(
                    "the file holds the parameters of a module of your own, which takes your code "
                    "to make; load it by Network(module=factory).load(path)"
                )
            factory = factory_from(config["factory"])
            fits(factory, tensors)
            widths = getattr(factory, "widths", None)
            if classes is not None and widths and widths[-1] != len(classes):
                raise Corrupt(f"the saved network does not answer for its {len(classes)} classes")
        how = Training(**config["how"])
        if torch.device(how.device).type == "meta":
            raise Corrupt("the saved network is on no device")
        learner = Network(factory, loss=loss, classes=classes, how=how)
        digest = None if config["digest"] is None else held.text("digest")
        model = cls(factory(), classes=classes, loss=loss, how=how, learner=learner, digest=digest)
        reduction: Any = held.text("reduction", "sum", "mean")
        model.reduction = reduction
        try:
            model.module.load_state_dict(tensors)
        except RuntimeError as error:
            raise Corrupt(f"the parameters are not those of this module: {error}") from error
        if not all(bool(torch.isfinite(value).all()) for value in model.state_dict().values()):
            raise Corrupt("the saved network holds NaN or an infinity")
        return model


def fits(factory: Factory, tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that are not those of a factory's modules, before one of these is made."""
    if getattr(factory, "layers", 0) > len(tensors):
        raise Corrupt("the parameters are not those of this module: it has more layers")
    with torch.device("meta"):  # of sizes alone
        wanted = {name: value.shape for name, value in factory().state_dict().items()}
    if wanted != {name: value.shape for name, value in tensors.items()}:
        raise Corrupt("the parameters are not those of this module: their names or sizes differ")


def _picked(values: Any, rows: NDArray[np.int64]) -> Any:
    """Return a column's entries at these positions; what is lazy stays so."""
    if isinstance(values, LazyColumn):
        return values.taken(rows)
    if isinstance(values, (list, tuple)):
        return [values[int(k)] for k in rows]
    return (values.iloc if hasattr(values, "iloc") else values)[rows]


def check_finite(model: Any, who: str) -> None:
    """Refuse a model of which a parameter is no finite number; `who` left it so."""
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        raise Diverged(f"{who} a parameter that is NaN or infinite; lower lr, or set clip")


def moved(module: nn.Module, how: Training) -> nn.Module:
    """Return the module on the device and with the precision that were asked for."""
    kind = getattr(torch, how.dtype)
    tensors = [*module.parameters(), *module.buffers()]
    try:
        if not any(t.is_complex() for t in tensors):
            return module.to(how.device, kind)
        module.to(how.device)
    except (AssertionError, RuntimeError) as error:  # torch's words for a device that is not there
        raise BadInput(
            f"device={how.device!r} cannot be used here: {str(error).splitlines()[0]}; take 'cpu'"
        ) from error
    for t in tensors:  # `to` would leave complex numbers their real parts alone
        if t.is_floating_point():
            t.data = t.data.to(kind)
    return module
