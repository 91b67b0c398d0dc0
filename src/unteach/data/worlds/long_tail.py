"""A planted long tail: many subpopulations, few of them often seen, some labels wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput, Rows, stream

from .world import whole


@dataclass(frozen=True)
class LongTail:
    """Records of a mixture of subpopulations, and the truth about it.

    Parameters
    ----------
    records : to learn from; groups are subpopulations, column "mislabelled" marks wrong labels
        and "true_y" has the right ones
    holdout : fresh records of the same mixture, all labelled right
    frequency : (subpopulations,) the true frequency of each
    """

    records: Rows
    holdout: Rows
    frequency: NDArray[np.float64]


def frequencies(
    subpopulations: int, exponent: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return one draw of the frequencies of subpopulations: (N,), summing to 1.

    Each value is drawn, independently and uniformly, from the prior {1 / k^exponent : k = 1..N},
    and all are divided by their sum (Feldman, "Does learning require memorization?", 2020,
    section 2.1). Exponent 0 is no tail at all: all are alike.

    >>> frequencies(4, 0.0, np.random.Generator(np.random.PCG64(0)))
    array([0.25, 0.25, 0.25, 0.25])
    """
    prior = np.arange(1, subpopulations + 1, dtype=np.float64) ** -exponent
    drawn = rng.choice(prior, subpopulations)
    return np.asarray(drawn / drawn.sum(), dtype=np.float64)


def long_tail(
    *,
    n: int = 500,
    n_holdout: int = 4000,
    subpopulations: int = 500,
    exponent: float = 1.0,
    noise: float = 0.0,
    classes: int = 10,
    features: int = 20,
    spread: float = 0.3,
    seed: int = 0,
) -> LongTail:
    """Return records of many small clouds, each of one class, their frequencies long-tailed.

    Centres are standard normal in `features` dimensions, records lie about them with standard
    deviation `spread` in each; the class of a cloud is uniform among `classes`. A record's label
    is wrong with probability `noise`, uniformly among the other classes. A cloud of which a
    learner sees one record alone can be known from that record only: here memorization is
    needed, as far as the learner carries a memory over to the record's neighbourhood.

    Parameters
    ----------
    n, n_holdout : records, at least 1
    subpopulations : clouds, at least 1
    exponent : of the prior of frequencies, at least 0; 0 is uniform, 1 is Zipf's law
    noise : share of wrong labels in expectation, 0 to below 1
    classes : at least 2
    features, spread : dimensions, and the size of a cloud against the distance of centres,
        about the square root of 2 * features

    Examples
    --------
    >>> world = long_tail(n=200, n_holdout=100, exponent=1.0, noise=0.1, seed=0)
    >>> world.records
    Rows(200 records: x(200, 20), y(200,), true_y(200,), mislabelled(200,), 74 groups)
    >>> bool(np.all((world.records.y != world.records.column("true_y"))
    ...      == world.records.column("mislabelled")))
    True
    """
    n, n_holdout = whole(n, "n"), whole(n_holdout, "n_holdout")
    subpopulations = whole(subpopulations, "subpopulations")
    classes, features = whole(classes, "classes", least=2), whole(features, "features")
    for name, value, least, below in (
        ("exponent", exponent, 0.0, np.inf),
        ("noise", noise, 0.0, 1.0),
        ("spread", spread, 0.0, np.inf),
    ):
        if isinstance(value, bool) or not least <= value < below:
            raise BadInput(f"{name} is at least {least:g} and below {below:g}, got {value!r}")
    rng = stream(seed, "data", "long tail")
    frequency = frequencies(subpopulations, exponent, rng)
    centres = rng.standard_normal((subpopulations, features))
    label = rng.integers(0, classes, subpopulations)

    def drawn(count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        cloud = rng.choice(subpopulations, count, p=frequency)
        return centres[cloud] + spread * rng.standard_normal((count, features)), cloud

    x, cloud = drawn(n)
    true_y = label[cloud]
    wrong = rng.random(n) < noise
    y = np.where(wrong, (true_y + rng.integers(1, classes, n)) % classes, true_y)
    columns: dict[str, Any] = {"x": x, "y": y, "true_y": true_y, "mislabelled": wrong}
    held, where = drawn(n_holdout)
    return LongTail(
        Rows(np.arange(n), columns, cloud),
        Rows(n + np.arange(n_holdout), {"x": held, "y": label[where]}, where),
        frequency,
    )
