"""Which methods an audit is of, and from whose models each forgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unteach.core import BadInput, Prepares, described
from unteach.models import as_learner

from .report import POLES


@dataclass(frozen=True)
class Group:
    """Methods that forget from models of one learner; label: whose own it is, "" the given one."""

    learner: Any
    label: str
    methods: dict[str, Any] = field(default_factory=dict)


def groups_of(named: Mapping[str, Any], recipe: Any) -> list[Group]:
    """Return the methods by the learner whose models they forget from; the given one first."""
    first, own = Group(recipe, ""), dict[str, tuple[Any, dict[str, Any]]]()
    for name, method in named.items():
        learner = recipe
        if isinstance(method, Prepares):
            learner = as_learner(method.prepare(getattr(recipe, "estimator", recipe)))
        about = described(learner)
        if learner is recipe or about == described(recipe):
            first.methods[name] = method
        else:
            own.setdefault(about, (learner, {}))[1][name] = method
    others = [Group(learner, ", ".join(methods), methods) for learner, methods in own.values()]
    if not first.methods and len(others) == 1:
        return [Group(others[0].learner, "", others[0].methods)]
    return ([first] if first.methods else []) + others


def named_methods(methods: Any) -> dict[str, Any]:
    """Return methods by name, or say which of them is none."""
    if isinstance(methods, Mapping):
        named = dict(methods)
    else:
        one = isinstance(methods, str) or not isinstance(methods, Sequence)
        several = [methods] if one else list(methods)
        kinds = [_name(m) for m in several]
        named = {
            k if kinds.count(k) == 1 else repr(m): m for k, m in zip(kinds, several, strict=True)
        }
        if len(named) < len(several):
            raise BadInput("the same method is given twice; name methods by a mapping")
    for name, method in named.items():
        if isinstance(method, str):
            raise BadInput(
                f"{method!r} is a name, no method: unlearn.method_named({method!r}) makes it one, "
                "or give the method itself, such as unlearn.FineTune(epochs=2)"
            )
        if isinstance(method, type):
            raise BadInput(f"{method.__name__} is a class; make one: {method.__name__}()")
        if not callable(getattr(method, "forget", None)):
            raise BadInput(f"{name} has no forget(model, records, request, *, seed); see `method`")
    if not named or set(POLES) & set(named):
        raise BadInput("name at least one method; 'retrain' and 'do nothing' are the controls")
    return named


def _name(method: Any) -> str:
    kind = method.__name__ if isinstance(method, type) else type(method).__name__
    return repr(method) if kind == "ByFunction" else kind
