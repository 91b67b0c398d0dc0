"""The founding questions, each a study: a plan, a run that resumes, and a page that answers."""

from unteach.core import BadInput, plugins

from .margin import MARGIN, Margin
from .proof import PROOF, Proof
from .study import Study
from .tail import TAIL, Tail
from .tower import TOWER, TowerStudy
from .yardstick import YARDSTICK, Yardstick

STUDIES: tuple[Study, ...] = (MARGIN, TAIL, YARDSTICK, PROOF, TOWER)
"""Every study that the package ships; the tour runs all of them."""


def study_named(name: str) -> Study:
    """Return the study of this name; plugins are looked up too.

    >>> study_named("margin").question[:15]
    'Support vectors'
    """
    known: dict[str, Study] = {s.name: s for s in STUDIES} | plugins("unteach.studies")
    if name not in known:
        raise BadInput(f"no study {name!r}; there are {sorted(known)}")
    return known[name]


__all__ = [
    "MARGIN",
    "PROOF",
    "STUDIES",
    "TAIL",
    "TOWER",
    "YARDSTICK",
    "Margin",
    "Proof",
    "Study",
    "Tail",
    "TowerStudy",
    "Yardstick",
    "study_named",
]
