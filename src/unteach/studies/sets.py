"""Real sets as studies learn from them: those that are here, and their inputs on one scale."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol, TypeVar

import numpy as np

from unteach.core import Rows
from unteach.data import available, load


class FromSet(Protocol):
    """A source of data that is drawn from a real set."""

    @property
    def dataset(self) -> str:
        """What the set is called in `unteach.data`."""


Source = TypeVar("Source", bound=FromSet)


def here(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return the sources whose sets are on this machine."""
    return tuple(source for source in sources if available(source.dataset))


@lru_cache(maxsize=2)
def prepared(dataset: str, components: int) -> Rows:
    """Return a whole set, centred and scaled, or as principal components, with class codes.

    Both use constants of the whole set, without labels, computed once and held fixed, so that
    forgetting moves the learner and nothing else.

    dataset : as in `unteach.data` · components : so many principal components; 0 for none

    >>> prepared("wine", 2).x.shape
    (178, 2)
    """
    whole = load(dataset)
    x = np.asarray(whole.x, dtype=np.float64)
    x = x / max(float(np.abs(x).max()), 1.0)
    x = x - x.mean(axis=0)
    if components:
        axes = np.linalg.eigh(x.T @ x / len(x)).eigenvectors[:, ::-1][:, :components]
        x = x @ (axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(components)]))
        x = x / x.std(axis=0)[0]
    codes = np.unique(np.asarray(whole.y), return_inverse=True)[1]
    return Rows(whole.ids, {"x": np.asarray(x, np.float32), "y": codes.astype(np.int64)})
