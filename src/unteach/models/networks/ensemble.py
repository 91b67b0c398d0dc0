"""Arms: many networks of one architecture trained side by side, each on its own subset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional
from torch.nn.parameter import is_lazy

from unteach.core import BadInput, Diverged, Progress, derive, stream

from .classifier import NetworkClassifier
from .contexts import seeded
from .forward import embeds, tensor_in
from .trained_network import moved
from .training_options import Training

if TYPE_CHECKING:
    from .network import Network

Stacked = dict[str, Tensor]


class Apart(BadInput):
    """A recipe whose networks cannot be trained side by side; they are learned one by one."""


@dataclass(frozen=True, eq=False)
class Arms:
    """Networks that were trained side by side: their parameters, stacked.

    parameters : name to (m, ...), what the networks have of their own · network : the recipe ·
    base : one module, for its structure
    """

    network: Network
    base: nn.Module
    parameters: Stacked

    def __len__(self) -> int:
        return len(next(iter(self.parameters.values())))

    def outputs(self, at: NDArray[Any]) -> NDArray[np.float32]:
        """Return what every network says at some points: at (q, d) to (m, q, k) float32."""
        points = _inputs(at, self.network.how, embeds(self.base))

        def say(own: Stacked) -> Tensor:
            said = tensor_in(functional_call(self.base, own, (points.clone(),)))
            return said.reshape(len(points), -1)

        self.base.eval()
        with torch.no_grad():
            try:
                said = vmap(say, randomness="different")(self.parameters)
            except RuntimeError:  # recurrent layers have no form for many at once
                each = range(len(self))
                said = torch.stack(
                    [say({n: v[k] for n, v in self.parameters.items()}) for k in each]
                )
        return np.asarray(said.float().cpu().numpy())

    def module(self, k: int) -> nn.Module:
        """Return network k as a module of its own."""
        made = self.network.module()
        state = {**self.base.state_dict(), **{n: v[k] for n, v in self.parameters.items()}}
        made.load_state_dict({n: v.detach().clone() for n, v in state.items()})
        return made

    def model(self, k: int, classes: Any) -> NetworkClassifier:
        """Return network k as a model whose outputs stand for these classes."""
        return NetworkClassifier(
            self.module(k),
            classes=np.asarray(classes),
            loss=self.network.loss,
            how=self.network.how,
            learner=self.network,
        )


def train_arms(
    network: Network,
    x: NDArray[Any],
    y: NDArray[np.int64],
    members: NDArray[np.bool_],
    seeds: NDArray[np.uint64],
    *,
    progress: Progress | None = None,
) -> Arms:
    """Train one network for each row of `members`, all of them at once.

    Parameters
    ----------
    network : the recipe; its loss is "cross_entropy" and it has no training of its own
    x : (n, d) inputs · y : (n,) codes 0 to k - 1
    members : (m, n) which records each network learns from; each row has at least one
    seeds : (m,) one a network

    Network j is, up to rounding, what `network.learn` gives for the records of members[j] with
    seeds[j]: the same first parameters, the same order, the same steps (dropout apart, which is
    drawn for all networks together). Modules that mix the records of a batch (batch
    normalization), or that `torch.func` cannot stack (recurrent ones, compiled ones), are refused
    as `Apart`.

    Examples
    --------
    >>> from unteach.models import Layers, Network
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> net = Network(module=Layers((1, 4, 2)), epochs=3)
    >>> arms = train_arms(net, x, np.array([0, 0, 1, 1]), np.ones((5, 4), bool), np.arange(5))
    >>> len(arms), arms.outputs(x).shape
    (5, (5, 4, 2))
    """
    x, y, members, seeds = _checked(network, x, y, members, seeds)
    modules = []
    for seed in seeds.tolist():
        with seeded(derive(seed, "module"), network.how.device):
            modules.append(moved(network.module(), network.how))
    _check_stacks(modules[0])
    try:
        return _trained(network, modules, x, y, members, seeds, progress)
    except RuntimeError as error:  # torch.func's words for what it cannot stack
        why = str(error).splitlines()[0][:200]
        raise Apart(
            f"these networks cannot be trained side by side ({why}); learn them one by one"
        ) from error


def _check_stacks(module: nn.Module) -> None:
    """Refuse a module whose parameters make no stack, or that mixes the records of a batch."""
    parts = list(module.modules())
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in parts) or any(
        b.is_floating_point() for b in module.buffers()
    ):
        raise Apart(
            "the module keeps running statistics (batch normalization?), which networks that are "
            "trained side by side cannot; use group normalization, or learn them one by one"
        )
    if any(is_lazy(p) or p.is_complex() for p in module.parameters()):
        raise Apart("lazy and complex parameters make no stack; learn the networks one by one")


def _trained(
    network: Network,
    modules: list[nn.Module],
    x: Any,
    y: Any,
    members: NDArray[np.bool_],
    seeds: NDArray[np.uint64],
    progress: Progress | None,
) -> Arms:
    """Return the networks of these modules, trained."""
    how, base = network.how, modules[0]
    whole = embeds(base)
    parameters: Stacked = {}
    frozen: Stacked = {}
    for name, p in base.named_parameters():
        stacked = torch.stack([m.get_parameter(name).detach() for m in modules])
        (parameters if p.requires_grad else frozen)[name] = stacked
    if not parameters:
        raise BadInput("no parameter may move: all of them are frozen")
    inputs, targets = _inputs(x, how, whole), torch.as_tensor(y).to(how.device)

    def loss(own: Stacked, fixed: Stacked, rows: Tensor, weight: Tensor) -> Tensor:
        said = tensor_in(functional_call(base, {**own, **fixed}, (inputs[rows],)))
        said = said.reshape(len(rows), -1)  # (b, k)
        each = functional.cross_entropy(said, targets[rows], reduction="none")
        return torch.dot(each, weight.to(each.dtype))

    slope = vmap(grad(loss), randomness="different")
    step = _Steps(how, parameters)
    threads = torch.get_num_threads()
    torch.set_num_threads(how.threads)
    base.train()
    try:
        with seeded(derive(int(seeds[0]), "arms"), how.device):
            plan = _Plan(members, seeds, how)
            for k in range(plan.longest):
                rows, weight, rates, going = plan.at(k)
                where = torch.as_tensor(rows).to(how.device)
                by = torch.as_tensor(weight).to(how.device, getattr(torch, how.dtype))
                gradients = slope(parameters, frozen, where, by)
                step(parameters, gradients, rates, going)
                if progress is not None:
                    progress(k + 1, plan.longest, f"{len(seeds)} networks")
    finally:
        torch.set_num_threads(threads)
    for j in range(len(seeds)):
        if not all(bool(torch.isfinite(value[j]).all()) for value in parameters.values()):
            raise Diverged(f"network {j} has a parameter that is not finite; lower lr, or set clip")
    return Arms(network, base, {**parameters, **frozen})


class _Plan:
    """Which records each network sees at each step, as `NetworkModel.batches` would order them."""

    def __init__(
        self, members: NDArray[np.bool_], seeds: NDArray[np.uint64], how: Training
    ) -> None:
        self.how, self.seeds = how, seeds.tolist()
        self.rows = [np.flatnonzero(row) for row in members]
        self.rounds = [-(-len(rows) // how.batch_size) for rows in self.rows]
        self.totals = [how.steps or r * how.epochs for r in self.rounds]
        self.longest = max(self.totals)
        self.orders: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)] * len(self.rows)
        self.width = min(how.batch_size, max(map(len, self.rows)))

    def at(
        self, step: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return rows (m, b), weights (m, b), learning rates (m,), and who still learns (m,)."""
        m, b = len(self.rows), self.how.batch_size
        rows = np.zeros((m, self.width), dtype=np.int64)
        weight, rates = np.zeros((m, self.width)), np.zeros(m)
        going = np.array([step < total for total in self.totals])
        for j in np.flatnonzero(going):
            around, part = divmod(step, self.rounds[j])
            if part == 0:
                rng = stream(self.seeds[j], "order", around)
                self.orders[j] = self.rows[j][rng.permutation(len(self.rows[j]))]
            now = self.orders[j][part * b : (part + 1) * b]
            rows[j, : len(now)] = now
            weight[j, : len(now)] = 1.0 / len(now)
            rates[j] = self.how.rate(step, self.totals[j])
        return rows, weight, rates, going


class _Steps:
    """SGD, Adam and AdamW on stacked parameters, as torch.optim has them."""

    def __init__(self, how: Training, parameters: Stacked) -> None:
        self.how, self.count = how, 0
        self.first = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.second = {name: torch.zeros_like(p) for name, p in parameters.items()}

    def __call__(
        self,
        parameters: Stacked,
        gradients: Stacked,
        rates: NDArray[np.float64],
        going: NDArray[np.bool_],
    ) -> None:
        """Move the networks that still learn, in place."""
        how, self.count = self.how, self.count + 1
        some = next(iter(parameters.values()))
        rate = torch.as_tensor(np.where(going, rates, 0.0)).to(some.device, some.dtype)
        scale = self._scale(gradients)
        one, two = how.betas
        for name, p in parameters.items():
            shape = (-1, *([1] * (p.ndim - 1)))
            lr = rate.view(shape)
            g = gradients[name] if scale is None else gradients[name] * scale.view(shape)
            if how.weight_decay and how.optimizer == "adamw":
                p.mul_(1 - lr * how.weight_decay)
            elif how.weight_decay:
                g = g + how.weight_decay * p
            if how.optimizer == "sgd":
                if how.momentum:
                    # torch starts the momentum with the first gradient as it is
                    self.first[name].mul_(how.momentum).add_(g)
                    g = self.first[name]
                p.sub_(lr * g)
                continue
            m, v = self.first[name], self.second[name]
            m.mul_(one).add_(g, alpha=1 - one)
            v.mul_(two).addcmul_(g, g, value=1 - two)
            root = (v / (1 - two**self.count)).sqrt_().add_(1e-8)
            p.sub_(lr / (1 - one**self.count) * m / root)

    def _scale(self, gradients: Stacked) -> Tensor | None:
        """Return by how much each network's gradient is shortened: (m,), or None."""
        if self.how.clip is None:
            return None
        squares = [g.flatten(1).square().sum(dim=1) for g in gradients.values()]
        norm = torch.stack(squares).sum(dim=0).sqrt()
        return (self.how.clip / (norm + 1e-6)).clamp(max=1.0)


def _inputs(x: Any, how: Training, whole: bool) -> Tensor:
    kind = torch.int64 if whole else getattr(torch, how.dtype)
    return torch.as_tensor(np.array(x, order="C")).to(how.device, kind)


def _checked(network: Network, x: Any, y: Any, members: Any, seeds: Any) -> Any:
    """Return the arrays, or say which of them is not as it must be."""
    if network.loss != "cross_entropy":
        raise BadInput(f"arms are of classifiers: loss is cross_entropy, got {network.loss!r}")
    if network.train is not None:
        raise Apart("networks are trained side by side by the project's loop: train is None")
    x, y, members = np.asarray(x), np.asarray(y), np.asarray(members)
    seeds = np.asarray(seeds)
    if y.dtype.kind not in "iu" or y.shape != (len(x),) or (len(y) and y.min() < 0):
        raise BadInput(f"y holds one code of at least 0 for each of {len(x)} rows")
    if members.dtype != bool or members.ndim != 2 or members.shape[1] != len(x):
        raise BadInput(f"members is a boolean (m, {len(x)}), got {members.dtype} {members.shape}")
    if not len(members) or not members.any(axis=1).all():
        raise BadInput("every network needs at least one record to learn from")
    if seeds.dtype.kind not in "iu" or seeds.shape != (len(members),) or (seeds < 0).any():
        raise BadInput(f"seeds are {len(members)} whole numbers of at least 0")
    return x, y.astype(np.int64), members, seeds
