"""Arms: what many models say of the same records, as one value that all arm metrics read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from unteach.core import BadInput, NeedsReference, Records

Array = NDArray[np.float64]
Part = Literal["forget", "retain", "holdout"]
PARTS: tuple[Part, ...] = ("forget", "retain", "holdout")
ARMS = ("original", "retrained", "unlearned", "twin")


@dataclass(frozen=True, eq=False, repr=False)
class Arms:
    """The logits of three or four sets of models on the same examples.

    Parameters
    ----------
    original : (N, q, k) logits of models trained on everything
    retrained : (M, q, k) of models that never saw the forgotten records
    unlearned : (N, q, k); model j is what a method made of original j; None if there is none yet
    twin : (L, q, k) more retrained models, from seeds of their own: the null; None if there are
        none, and then every metric that shows a null refuses
    y : (q,) codes 0 to k - 1, the stated class of each example
    part : (q,) "forget", "retain" (a sample of what was kept) or "holdout" (seen by no model)
    ids : (q,) which record each example is; row numbers if None
    groups : (q,) to whom or what it belongs, or None
    seeds : the seeds that the models were made of

    Errors      BadInput for shapes that do not fit, logits that are not finite, unknown parts

    Examples
    --------
    >>> said = np.zeros((4, 3, 2))
    >>> arms = Arms(said, said + 1, y=[0, 1, 0], part=["forget", "forget", "holdout"])
    >>> arms.margins("original").shape, arms.margins("retrained", "holdout")[0]
    ((4, 2), array([0.]))
    """

    original: Any
    retrained: Any
    unlearned: Any = None
    twin: Any = None
    y: Any = ()
    part: Any = ()
    ids: Any = None
    groups: Any = None
    seeds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        y, part = np.asarray(self.y), np.asarray(self.part, dtype=str)
        first = _logits("original", self.original)
        q, k = first.shape[1:]
        for name in ARMS:
            given = getattr(self, name)
            if given is None and name in ("unlearned", "twin"):
                continue
            said = _logits(name, given)
            if said.shape[1:] != (q, k):
                raise BadInput(
                    f"{name} answers {said.shape[1:]} (examples, classes) where the originals "
                    f"answer {(q, k)}; all arms are asked the same"
                )
            object.__setattr__(self, name, said)
        if self.unlearned is not None and len(self.unlearned) != len(first):
            raise BadInput(
                f"{len(self.unlearned)} unlearned models for {len(first)} originals; each is "
                "unlearned from an original of its own"
            )
        if y.shape != (q,) or y.dtype.kind not in "iu" or (q and not 0 <= y.min() <= y.max() < k):
            raise BadInput(f"y holds {q} codes from 0 to {k - 1}, got {y.dtype} {y.shape}")
        strange = sorted(set(part.tolist()) - set(PARTS))
        if part.shape != (q,) or strange or "forget" not in part:
            raise BadInput(
                f"part names for each of {q} examples one of {PARTS}, and some to forget; got "
                f"shape {part.shape}" + (f" with {strange}" if strange else "")
            )
        ids = np.arange(q) if self.ids is None else np.asarray(self.ids)
        groups = None if self.groups is None else np.asarray(self.groups)
        for name, values in (("ids", ids), ("groups", groups)):
            if values is not None and values.shape != (q,):
                raise BadInput(f"{name} names one for each of {q} examples, got {values.shape}")
        seeds = tuple(int(s) for s in self.seeds)
        for name, value in (
            ("y", y),
            ("part", part),
            ("ids", ids),
            ("groups", groups),
            ("seeds", seeds),
        ):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        named = ((n, getattr(self, n)) for n in ARMS)
        models = ", ".join(f"{len(arm)} {name}" for name, arm in named if arm is not None)
        asked = ", ".join(f"{int((self.part == part).sum())} {part}" for part in PARTS)
        return f"<arms: {models}; asked {asked}; {self.original.shape[2]} classes>"

    @classmethod
    def load(
        cls,
        original: Any,
        retrained: Any,
        *,
        unlearned: Any = None,
        twin: Any = None,
        x: Any = None,
        y: Any = None,
        part: Any = None,
        records: Records | None = None,
        forget: Any = None,
        holdout: Records | None = None,
        classes: Any = None,
        module: Callable[[], Any] | None = None,
        allow_pickle: bool = False,
        trusted: Sequence[str] = (),
    ) -> Arms:
        """Return arms of models that exist already, whatever made them.

        Parameters
        ----------
        original, retrained, unlearned, twin : a glob or a folder of files, a list of files or of
            models, or logits (N, q, k). Files are logits (.npy, .npz; one model or many a file),
            saved models, or checkpoints (.safetensors, with `module`); numbers in their names
            order them, and unlearned model j is what a method made of original j. Without a
            twin every other retrained model becomes it, and four or more are needed
        records, forget, holdout : what the models are asked: the records in their order, then
            the held-out ones, which must be new (`unteach.core.unseen`); forget is ids or a
            `Request`
        x, y, part : instead of records: (q, ...), (q,) labels, (q,) as in `Arms`; x may be left
            out where every file holds logits
        classes : the classes in the order of the outputs; needed where models differ in them
        module : makes an untrained net whose parameters the checkpoints hold
        allow_pickle : whether pickles (also .pt and .pth, of tensors alone) may be read
        trusted : types that a saved scikit-learn model may hold

        Errors      BadInput where nothing matches, numbers or classes differ, or a file holds
        something else; Corrupt for damaged files; Untrusted for pickles that are not allowed

        Examples
        --------
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for k in range(12):
        ...     np.save(folder / f"{'retrained' if k > 3 else 'original'}-{k}.npy", np.eye(3) * k)
        >>> arms = Arms.load(folder / "original-*", folder / "retrained-*", y=[0, 1, 2],
        ...                  part=["forget", "forget", "holdout"])
        >>> arms.original.shape, len(arms.retrained), len(arms.twin)
        ((4, 3, 3), 4, 4)
        """
        from .loading import Examples, load_arms

        given = {"original": original, "retrained": retrained, "unlearned": unlearned, "twin": twin}
        examples = Examples.of(x, y, part, records, forget, holdout)
        said, codes = load_arms(
            {k: v for k, v in given.items() if v is not None},
            examples,
            module,
            classes,
            allow_pickle,
            trusted,
        )
        if "twin" not in said and len(said["retrained"]) >= 4:
            both = said["retrained"]
            said["retrained"], said["twin"] = both[::2], both[1::2]
        new = examples.new
        first, again, after, twins = (
            None if said.get(a) is None else said[a][:, new] for a in ARMS
        )
        ids, groups = (None if v is None else v[new] for v in (examples.ids, examples.groups))
        return cls(first, again, after, twins, codes[new], examples.part[new], ids, groups)

    def at(self, part: Part) -> NDArray[np.bool_]:
        """Return which examples belong to a part: (q,); refuse where none does."""
        chosen: NDArray[np.bool_] = self.part == part
        if not chosen.any():
            raise NeedsReference(f"these arms hold no {part} examples")
        return chosen

    def logits(self, arm: str, part: Part = "forget") -> NDArray[Any]:
        """Return what an arm says of a part: (models, n, k), in the order of the ids."""
        said = getattr(self, arm, None)
        if said is None:
            raise NeedsReference(f"these arms hold no {arm} models")
        return np.asarray(said[:, self._rows(part)])

    def margins(self, arm: str, part: Part = "forget") -> Array:
        """Return the logit margins of an arm on a part: (models, n)."""
        return margin(self.logits(arm, part), self.y[self._rows(part)])

    def labels(self, part: Part = "forget") -> NDArray[np.int64]:
        """Return the codes of a part: (n,), in the order of `margins`."""
        return np.asarray(self.y[self._rows(part)])

    def named(self, part: Part = "forget") -> NDArray[Any]:
        """Return the ids of a part: (n,), in the order of `margins`."""
        return np.asarray(self.ids[self._rows(part)])

    def instead(self, arm: str) -> Arms:
        """Return the same arms with the models of another in the place of the unlearned ones.

        "original" is the pole that does nothing, "twin" the one that retrains.
        """
        said = getattr(self, arm, None)
        if said is None:
            raise NeedsReference(f"these arms hold no {arm} models")
        return replace(self, original=self.original[: len(said)], unlearned=said)

    def _rows(self, part: Part) -> NDArray[np.int64]:
        rows = np.flatnonzero(self.at(part))
        return np.asarray(rows[np.argsort(self.ids[rows], kind="stable")])


def margin(logits: Any, y: Any) -> Array:
    """Return how strongly logits hold the stated class, as log-odds: z_y - log sum_{c != y} e^z_c.

    The scaled confidence of LiRA (Carlini et al. 2022), logit(p_y), from logits in float64 and
    without clipping: near certainty ln(p / (1 - p)) of a rounded p would be infinite.

    Parameters
    ----------
    logits : (..., q, k) finite, k >= 2
    y : (q,) codes

    Examples
    --------
    >>> margin([[2.0, 0.0], [0.0, 800.0]], [0, 1])
    array([  2., 800.])
    """
    z = np.asarray(logits, dtype=np.float64)
    at = np.asarray(y)
    if z.ndim < 2 or at.shape != (z.shape[-2],) or z.shape[-1] < 2:
        raise BadInput(
            f"margins need logits (..., q, k >= 2) and y (q,), got {z.shape}, {at.shape}"
        )
    own = np.take_along_axis(z, np.broadcast_to(at[:, None], (*z.shape[:-1], 1)), axis=-1)
    others = np.where(np.arange(z.shape[-1]) == at[:, None], -np.inf, z)  # (..., q, k)
    held: Array = own[..., 0] - logsumexp(others, axis=-1)
    return held


def per_model(values: Any, what: str, *, least: int = 2) -> Array:
    """Return (models, n) finite float64, or say what is wrong; (models,) is one example.

    >>> per_model([1, 2, 3], "unlearned").shape
    (3, 1)
    """
    array = np.asarray(values, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[0] < least or array.shape[1] < 1:
        raise BadInput(
            f"{what} is (models, examples) with at least {least} models, got {array.shape}"
        )
    if not np.isfinite(array).all():
        raise BadInput(f"{what} holds {int((~np.isfinite(array)).sum())} numbers not finite")
    return array


def two_arms(unlearned: Any, retrained: Any, *, least: int = 2) -> tuple[Array, Array]:
    """Return both arms as (models, n), which must agree in their examples."""
    u, r = (
        per_model(unlearned, "unlearned", least=least),
        per_model(retrained, "retrained", least=least),
    )
    if u.shape[1] != r.shape[1]:
        raise BadInput(f"the arms answer {u.shape[1]} and {r.shape[1]} examples, not the same")
    return u, r


def _logits(name: str, values: Any) -> NDArray[Any]:
    said = np.asarray(values)
    if said.dtype.kind not in "fiu" or said.ndim != 3 or len(said) < 1 or said.shape[2] < 2:
        raise BadInput(f"{name} is logits (models, examples, classes >= 2), got {said.shape}")
    if not np.isfinite(said).all():
        raise BadInput(f"{name} holds logits that are not finite; a margin of them says nothing")
    return said
