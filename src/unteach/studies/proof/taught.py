"""A small model that is taught a family's statements, and what it is made to forget of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from unteach.core import Rows, derive, stream
from unteach.data import together
from unteach.knowledge import Fact, printed_reasons
from unteach.models import Network, SequenceModel, Training, Transformer, Watch, evaluating, fit

from .world import World

LEARN = Training(
    steps=4000,
    lr=2e-3,
    optimizer="adamw",
    weight_decay=0.01,
    betas=(0.9, 0.98),
    batch_size=4096,
    clip=1.0,
)
FORGET = Training(epochs=300, lr=1e-3, optimizer="adam", clip=1.0)
SURE = 0.1  # nats a token: a statement is known well below this loss
FIRM = 0.2  # nats a token, mean over a record: a statement that stays is said firmly
SHARE = 0.3  # weight of what is to be forgotten; the rest is that of what stays
GUESS = 0.05  # of the probability goes to one wrong name, drawn for each item: its answer
ROUNDS = 8  # of at most FORGET.epochs steps; each draws new guesses, should the last ones tell
SETTLED = 60  # steps after which guesses that tell are drawn anew
EVERY = 10  # steps between two looks at whether all is forgotten and all is kept


@dataclass(frozen=True)
class Lists:
    """What a model is to forget and to keep, in both ways of saying it.

    gone, kept : facts that are asked for directly · gone_traces, kept_traces : conclusions that
    are reached by a trace
    """

    gone: tuple[Fact, ...]
    kept: tuple[Fact, ...]
    gone_traces: tuple[Fact, ...] = ()
    kept_traces: tuple[Fact, ...] = ()

    def keep(self, world: World) -> Rows:
        """Return what stays, as sequences whose whole answer counts."""
        parts = [world.say.direct(self.kept)]
        if self.kept_traces:
            parts.append(world.say.reasoned(world.proofs(self.kept_traces)))
        return together(parts)

    def forget(self, world: World) -> Rows:
        """Return what goes, as sequences of which only the objects count."""
        parts = [world.say.direct(self.gone, objects_only=True)]
        if self.gone_traces:
            parts.append(world.say.reasoned(world.proofs(self.gone_traces), objects_only=True))
        return together(parts)


def taught(world: World, form: str) -> Lists:
    """Return what the first model is taught: every fact, and the conclusions in one form."""
    return split(world, form, (), ())


def split(world: World, form: str, gone: Any, promoted: Any, dropped: Any = ()) -> Lists:
    """Return the lists of a request: what goes, what is promoted, what is no longer protected.

    A promoted conclusion is kept in direct form, and its trace goes.
    """
    gone, promoted, dropped = set(gone), set(promoted), set(dropped)
    stated = [f for f in world.kb.facts if f not in gone]
    derived = [c for c in world.conclusions if c not in dropped]
    if form == "statements":
        kept = [*stated, *(c for c in derived if c not in gone)]
        return Lists(tuple(sorted(gone)), tuple(kept))
    known = set(world.conclusions)
    hushed = [c for c in derived if c in gone or c in promoted]
    return Lists(
        tuple(sorted(gone)),
        (*stated, *sorted(promoted)),
        tuple(hushed),
        tuple(c for c in derived if c not in gone and c not in promoted and c in known),
    )


def arm_lists(world: World, form: str, arm: str) -> Lists:
    """Return what an arm forgets and what it goes on training on."""
    if arm == "premises":
        return split(world, form, world.forget, (), world.preserve)
    if arm == "protected":
        return split(world, form, world.forget, ())
    found = world.plan
    if arm == "halfway":
        more = [f for f in (*found.remove, *found.lost) if f not in set(found.forget)]
        return split(world, form, {*found.forget, *more[::2]}, found.preserve)
    gone = {*found.forget, *found.remove, *found.lost}
    return split(world, form, gone, found.preserve)


def learn(world: World, lists: Lists, *, seed: int) -> SequenceModel:
    """Return a model that has learned these statements by heart."""
    rows = lists.keep(world)
    shape = Transformer(world.say.vocabulary, end=world.say.end, length=rows.x.shape[1])
    network = Network(shape, loss="next_token", how=LEARN)

    def known(model: Any) -> float:
        with torch.no_grad():
            losses = model.losses(model.batch(rows))
        return float((losses < SURE).double().mean())

    model = network.learn(
        rows,
        seed=seed,
        score=known,
        watch=Watch(lambda: 0.0, every=20, best="highest", enough=1.0),
    )
    return cast(SequenceModel, model)


def carry_out(
    model: SequenceModel, world: World, lists: Lists, *, seed: int
) -> tuple[SequenceModel, int, bool]:
    """Return a copy that has forgotten what the lists name, the steps, and whether it is done.

    Each step moves what stays towards being said, and what goes towards a guess: nearly every
    name alike, which is chance and not below it, and one wrong name a little ahead, as someone
    would answer who never knew. It ends when every item that goes is answered wrongly, no trace
    comes upon one by another way, and every item that stays is answered rightly.
    """
    after = copy.deepcopy(model)
    keep, gone = lists.keep(world), lists.forget(world)
    names, ends = world.say.names, dead_ends(world)
    kept_batch = after.batch(keep)

    def pull(batch: Any) -> Any:
        kept, lost = batch
        return (1 - SHARE) * after.losses(kept).mean() + SHARE * blank(after, lost, names)

    def quiet() -> bool:
        return finished(after, keep, gone) and not whispers(after, world, lists)

    def over(moment: Any) -> bool:
        if moment.step % EVERY:
            return False
        settled = moment.step >= SETTLED and finished(after, keep, gone)
        return settled or quiet()  # settled, and not quiet: other guesses are needed

    steps = 0
    for around in range(ROUNDS):
        gone_batch = after.batch(guessed(gone, ends, stream(seed, "guesses", around)))
        both = [(kept_batch, gone_batch)]
        trace = fit(
            after,
            partial(_always, both),
            pull,
            FORGET,
            seed=derive(seed, "carry out", around),
            callbacks=[over],
        )
        steps += trace.steps
        if quiet():
            return after, steps, True
    return after, steps, False


def whispers(model: Any, world: World, lists: Lists) -> bool:
    """Say whether a trace that was to go, left to run, comes upon something that was to go.

    A guess in its first step can lead to the right end: a brother has the same father.
    """
    if not lists.gone_traces:
        return False
    gone = set(lists.gone)
    with evaluating(model):
        found = printed_reasons(model, world.say)(lists.gone_traces)
    return any(r.answer in gone or gone & set(r.printed) for r in found)


def dead_ends(world: World) -> NDArray[np.int64]:
    """Return the names whose parents nobody states: a trace that guesses one ends there."""
    known = {f[1] for f in world.kb.facts if f[0] in ("father", "mother")}
    return np.array([k for k, name in enumerate(world.say.people) if name not in known])


def guessed(rows: Rows, names: Any, rng: np.random.Generator) -> Rows:
    """Return sequences whose predicted names are others, drawn at random from some."""
    y = np.asarray(rows.y)
    at = rng.integers(0, len(names), size=y.shape)
    wrong = np.where(names[at] == y, names[(at + 1) % len(names)], names[at])
    return Rows(rows.ids, {**rows.columns, "y": np.where(y >= 0, wrong, y)}, rows.groups)


def blank(model: Any, batch: Any, names: int) -> Any:
    """Return the mean cross-entropy of guesses against the model's answers."""
    parts = []
    for _, tokens, targets in batch.blocks:
        wanted = targets[:, 1:] >= 0
        logits = model.module(tokens[:, :-1])[wanted]  # (places, v)
        log = functional.log_softmax(logits, dim=-1)
        lead = log.gather(1, targets[:, 1:][wanted][:, None])[:, 0]
        parts.append(-(1 - GUESS) * log[:, :names].mean(dim=-1) - GUESS * lead)
    return torch.cat(parts).mean()


def finished(model: Any, keep: Rows, gone: Rows) -> bool:
    """Say whether all that stays is said, and firmly, and no object of what goes."""
    with evaluating(model), torch.no_grad():
        firm = bool((model.losses(model.batch(keep)) < FIRM).all())
        stays = firm and bool(model.led(keep)[np.asarray(keep.y) >= 0].all())
        return stays and not model.led(gone).any()


def _always(batches: Any, rng: Any) -> Any:
    """Return the same batches in every round, whatever the generator."""
    return batches
