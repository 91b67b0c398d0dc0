"""The machine between two forgettings: every row keeps its slot, and only what changes is touched.

`Machine` numbers its rows anew whenever one goes; here they keep the slots that they have, so
that forgetting costs what the changed pairs cost. Pairs of classes in which the row is no
support vector are left as they are. A `Machine` is made of it when somebody asks for one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .._machine.gram import square
from .._machine.machine import ROWS, Machine, Pair
from .._solver.qp import Vector, classification, rounding
from .._solver.solver import accepted
from ..certificate import Certificate, certify, worst
from .conditioning import DOUBT, in_doubt
from .kernel_values import Values
from .row_cache import RowCache
from .working_set import Anchor

Rows = NDArray[np.int64]
LARGE = 200  # rows of a pair from which on an anchor is kept; below, solving anew is as quick
SHRINK = 0.75  # share of the slots in use below which everything is copied into fewer


@dataclass(eq=False)
class Held:
    """The solved problem of one class against another, over slots.

    first, second : class numbers; at : (m,) slots; b : (m,) signed weights, 0 where not live
    live : (m,) whether the row is held still; place : (slots,) number within the problem, or -1
    certificate : None where it is that of the rows left, yet to be computed
    anchor, version : an anchor, and which of its states is this problem's
    settled : as in `Pair`
    conditioning : of the rows that may move, as last computed
    doubtful : whether another way to the solution might end elsewhere; then every change is solved
        afresh

    What changes the solution makes a new one; only `erase` drops rows that support nothing.
    """

    first: int
    second: int
    at: Rows
    place: NDArray[np.int32]
    b: Vector
    live: NDArray[np.bool_]
    rho: float
    moves: int
    n_free: int
    certificate: Certificate | None
    anchor: Anchor | None = None
    version: int = 0
    settled: bool = True
    cache: RowCache | None = None
    doubtful: bool = False
    conditioning: float | None = None

    @property
    def anchored(self) -> Anchor | None:
        """The anchor, if it is in the state of this problem."""
        return self.anchor if self.anchor and self.anchor.version == self.version else None


@dataclass(frozen=True, eq=False)
class Slots:
    """Everything a machine holds, by slots. `without` makes a new one that shares the arrays.

    values : kernel values by slot; slots : (n,) ascending, of the rows held
    codes, bounds : by slot, as in `Machine`; pairs : in its order
    counts : (k,) rows of positive weight of each class
    budget : bytes that kernel values may take
    gone, quiet : what `erase` has yet to overwrite: slots, and rows of pairs that support nothing
    """

    values: Values
    slots: Rows
    codes: Rows
    bounds: Vector
    tol: float
    max_iter: int
    counts: Rows
    pairs: tuple[Held, ...]
    gone: Rows
    budget: float
    quiet: tuple[tuple[Held, Rows], ...] = ()

    @classmethod
    def of(cls, machine: Machine) -> Slots:
        """Return a machine by slots, over its own arrays where it has slots already."""
        shared = machine.slots is not None and machine.given is not None
        total = len(machine.given if shared and machine.given is not None else machine.codes)
        slots = machine.slots if machine.slots is not None and shared else np.arange(total)
        x = np.zeros((total, *machine.x.shape[1:]), machine.x.dtype)
        codes, bounds = np.full(total, -1), np.zeros(total)
        x[slots], codes[slots], bounds[slots] = machine.x, machine.codes, machine.bounds
        values = Values(machine.kernel, x, machine.given)
        pairs = []
        for pair in machine.pairs:
            at = slots[pair.rows]
            if pair.cache is not None:
                pair.cache.values = values
            place = np.full(total, -1, np.int32)
            place[at] = np.arange(len(at))
            pairs.append(
                Held(
                    pair.first,
                    pair.second,
                    at,
                    place,
                    pair.b,
                    np.ones(len(at), bool),
                    pair.rho,
                    pair.moves,
                    pair.certificate.n_free,
                    pair.certificate,
                    settled=pair.settled,
                    cache=pair.cache,
                    doubtful=in_doubt(pair.certificate),
                    conditioning=pair.certificate.conditioning,
                )
            )
        used = codes[bounds > 0]
        counts = np.bincount(used[used >= 0], minlength=int(codes.max()) + 1)
        return cls(
            values,
            slots,
            codes,
            bounds,
            machine.tol,
            machine.max_iter,
            counts,
            tuple(pairs),
            slots[:0],
            machine.budget,
        )

    def without(self, positions: Rows) -> Slots | None:
        """Return this without some rows; None where the plain way must be gone.

        positions : among the rows held. Every class must keep a row.
        """
        gone = self.slots[positions]
        counting = gone[self.bounds[gone] > 0]
        counts = self.counts - np.bincount(self.codes[counting], minlength=len(self.counts))
        if counts.min() < 1:
            return None
        mine = set(self.codes[counting].tolist())
        left = len(self.slots) - len(positions)
        few = left < SHRINK * len(self.codes)
        pairs = list(self.pairs)
        quiet: list[tuple[Held, Rows]] = []
        for k, pair in enumerate(pairs):
            if pair.first not in mine and pair.second not in mine:
                continue
            place = pair.place[counting]
            out = place[place >= 0].astype(np.int64)
            if pair.doubtful:
                return None
            if pair.n_free and not few and not pair.b[out].any():
                quiet.append((pair, out))
                continue
            now = self._after(pair, out)
            if now is None:
                return None
            pairs[k] = now
        return replace(
            self,
            slots=np.delete(self.slots, positions),
            counts=counts,
            pairs=tuple(pairs),
            gone=gone,
            quiet=tuple(quiet),
        )

    def _after(self, pair: Held, out: Rows) -> Held | None:
        """Return a pair without some of its rows."""
        live = pair.live.copy()
        live[out] = False
        anchor = pair.anchored
        if not pair.b[out].any() and pair.n_free:
            return replace(pair, live=live, certificate=None, anchor=None, cache=None)
        if self.max_iter >= 0 or np.count_nonzero(live) < LARGE:
            return None
        if anchor is None:
            cache = pair.cache
            if cache is None:
                cache = RowCache(self.values, pair.at, ROWS * self.budget / len(self.pairs))
            anchor = Anchor.at_solution(
                self.values, pair.at, *self._problem(pair), pair.b, pair.rho, cache
            )
        if anchor is None or not anchor.without(out):
            return None
        certificate = anchor.certificate()
        if certificate.kkt_residual > accepted(self.tol, anchor.noise):
            return None
        if certificate.error > DOUBT:  # settled from its sets it is what a fit would be
            return None
        return replace(
            pair,
            live=live,
            b=anchor.b,
            rho=anchor.rho,
            n_free=certificate.n_free,
            certificate=certificate,
            anchor=anchor,
            version=anchor.version,
            settled=False,
            cache=anchor.cache,
            conditioning=certificate.conditioning,
        )

    def _problem(self, pair: Held) -> tuple[Vector, Vector, Vector]:
        """Return p, lower and upper of a pair."""
        y = np.where(self.codes[pair.at] == pair.first, 1.0, -1.0)
        y[~pair.live] = 0.0
        c = np.where(pair.live, self.bounds[pair.at], 0.0)
        return y, np.where(y < 0, -c, 0.0), np.where(y > 0, c, 0.0)

    def erase(self) -> None:
        """Overwrite what `without` left of the rows that went; nothing can fail here."""
        for pair, out in self.quiet:
            pair.live[out] = False
            pair.certificate = None
            if pair.anchor is not None:
                pair.anchor.drop(out)
            elif pair.cache is not None:
                pair.cache.erase(out)
        self.codes[self.gone] = -1
        self.bounds[self.gone] = 0.0
        self.values.erase(self.gone)

    @property
    def certificate(self) -> Certificate:
        """The certificate of the whole."""
        return worst([self._certified(pair) for pair in self.pairs])

    def _certified(self, pair: Held) -> Certificate:
        """Return the certificate of a pair, computed now if rows went that support nothing."""
        if pair.certificate is None:
            anchor = pair.anchored
            pair.certificate = anchor.certificate() if anchor else self._afresh(pair)
        return pair.certificate

    def _afresh(self, pair: Held) -> Certificate:
        at = pair.at[pair.live]
        y = np.where(self.codes[at] == pair.first, 1.0, -1.0)
        b = pair.b[pair.live]
        support = np.flatnonzero(b)
        gradient = self.values.field(at, at[support], b[support]) - y
        plain = classification(np.empty((0, 0)), y, self.bounds[at])
        return certify(
            plain,
            b,
            pair.rho,
            gradient=gradient,
            block=lambda rows: self.values.block(at[rows], at[rows]),
            noise=rounding(self.values.diagonal(at), y, b, self.bounds[at] > 0),
            known=pair.conditioning,
        )

    def shrunk(self) -> Slots:
        """Return the same over fewer slots, if too few of them are in use."""
        if len(self.slots) >= SHRINK * len(self.codes):
            return self
        machine = self.machine()
        gram = None if self.values.gram is None else square(self.values.gram, self.slots)
        return Slots.of(replace(machine, given=gram, slots=None))

    def machine(self) -> Machine:
        """Return the machine, its rows numbered through."""
        slots = self.slots
        number = np.full(len(self.codes), -1)
        number[slots] = np.arange(len(slots))
        pairs = tuple(
            Pair(
                pair.first,
                pair.second,
                number[pair.at[pair.live]],
                pair.b[pair.live],
                pair.rho,
                pair.moves,
                self._certified(pair),
                pair.settled,
            )
            for pair in self.pairs
        )
        values = self.values
        named = None if values.gram is None else slots
        return Machine(
            values.kernel,
            values.x[slots],
            self.codes[slots],
            self.bounds[slots],
            self.tol,
            self.max_iter,
            values.gram,
            named,
            True,
            pairs,
            self.budget,
        )
