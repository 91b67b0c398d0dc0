"""The claim card: what is asked and claimed, for whom, against what, and under which trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from unteach.core import Certified, Claim, Exact

from .arms import Arms
from .latex import PaperTable

Goal = Literal["removal", "suppression"]
OPERATOR = "taken to be honest: an audit by whoever runs the method shows competence, not honesty"
FIELDS = (
    "method",
    "goal",
    "definition",
    "reference",
    "threat model",
    "adaptive",
    "stored",
    "operator",
)


def card(rows: Sequence[Mapping[str, str]]) -> PaperTable:
    """Return the card as a table, one row a method."""
    columns = {name: [row[name] for row in rows] for name in FIELDS}
    return PaperTable("claim card", columns, {}, ("method",), "what the audit is about")


def goal_of(goal: Goal, changes: bool) -> str:
    """Return what was asked for.

    >>> goal_of("removal", changes=True)
    'removal of what the records said; their new contents are learned in its place'
    """
    if goal == "suppression":
        return (
            "suppression of an output; this audit looks for influence, which may be left though "
            "the output is gone, and gone though the output is the same"
        )
    if changes:
        return "removal of what the records said; their new contents are learned in its place"
    return "removal of the records' influence, not suppression of an output"


def definition_of(claims: Sequence[Claim | None]) -> str:
    """Return the definition that the claims of a method's models stand for.

    >>> definition_of([Exact(0.0, "distribution"), Exact(0.0, "distribution")])
    'exact by construction: distributed as retraining'
    >>> definition_of([Certified(1.0, 1e-5, ("convex loss",))])
    'certified (epsilon 1, delta 1e-05), if: convex loss'
    """
    said = list(dict.fromkeys(_definition(c) for c in claims))
    if not said:
        return "measured only; nothing is claimed for these models"
    return said[0] if len(said) == 1 else "differs by model: " + "; or ".join(said)


def refusal_of(why: str) -> str:
    """Return what stands for the definition where a method refused, and nothing was made.

    >>> refusal_of("2.1 is needed and 1 is left")
    'none: the method refused this request (2.1 is needed and 1 is left)'
    """
    return f"none: the method refused this request ({why})"


def _definition(claim: Claim | None) -> str:
    if isinstance(claim, Exact):
        given = f", given {', '.join(claim.given)}" if claim.given else ""
        if claim.sense == "distribution":
            how = " by construction" if claim.basis == "construction" else ""
            return f"exact{how}: distributed as retraining{given}{claim.ground}"
        return f"exact: the outputs of retraining within {claim.atol:g}{given}{claim.ground}"
    if isinstance(claim, Certified):
        return str(claim) + (f", if: {'; '.join(claim.assumptions)}" if claim.assumptions else "")
    because = getattr(claim, "because", "")
    return "measured only" + (f" ({because})" if because else "")


def adaptive_of(claims: Sequence[Claim | None]) -> str:
    """Return whether requests that depend on published models are covered."""
    certified = any(isinstance(c, Certified) for c in claims)
    also = "; the certificate does not cover later requests that depend on published models"
    return "no: one request, fixed before any model was seen" + (also if certified else "")


def threat_of(unlearned: int, retrained: int) -> str:
    """Return what the attacker of this audit sees."""
    if unlearned == 0:
        return "none is tried: there is no unlearned model"
    if min(unlearned, retrained) < 4:
        return "none is tried: so few models allow no attack by record"
    return (
        f"sees the logits of {unlearned} unlearned and {retrained} retrained models on every "
        "forgotten record and fits on half of them; sees no weights and nothing that is stored"
    )


def stored_of(state: int | None, plain: int | None, keeps: str, kept: bool) -> str:
    """Return what is held so that the method can forget, and what the audit itself keeps."""
    said = "not measured" if state is None else f"{state} bytes of model to forget from"
    if state is not None and plain:
        said += f" ({state / plain:.2g} times a plain one)"
    said += f"; afterwards {keeps}" if keeps else ""
    return said + (
        "; the audit keeps logits in the project until a purge"
        if kept
        else "; the audit keeps nothing"
    )


def card_of_arms(base: Arms, methods: Sequence[str]) -> PaperTable:
    """Return the card of models whose making nobody here has seen."""
    n, m = len(base.original), len(base.retrained)
    shared = {
        "goal": goal_of("removal", False),
        "definition": definition_of(()),
        "reference": f"{m} models that were given as retrained; that they never saw the "
        f"{int((base.part == 'forget').sum())} records is the word of whoever gave them",
        "threat model": threat_of(n, m),
        "adaptive": adaptive_of(()),
        "stored": "not known",
        "operator": OPERATOR,
    }
    return card([{"method": name, **shared} for name in methods])


def reference_of(asked: Any, learner: str, models: int) -> str:
    """Return what the unlearned models are compared with."""
    gone = len(asked.request.targets(asked.rows))
    groups = len(asked.request.groups or ())
    what = f"{gone} records" + (f" ({groups} whole group{'s' * (groups > 1)})" if groups else "")
    if asked.request.replace is not None:
        which = f"all {len(asked.rest)} records, of which {what} say what they are changed to"
    else:
        which = f"the {len(asked.rest)} records that are left without {what}"
    said = f"{models} models of {learner}, learned with fresh seeds from {which}"
    if asked.copies:
        said += f"; {asked.copies} held-out records were left out, as they equal one of these"
    return said
