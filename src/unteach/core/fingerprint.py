"""Which learner or method it is, in words: two that differ are never called the same.

A study or an audit resumes where these are called the same. So a function or a class of one's own
is named with a digest of what it does: edit it, and the study is another one.
"""

from __future__ import annotations

import dis
import pickle
import re
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from .canonical_json import canonical, digest
from .results import Cost

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
PLAIN = (int, float, complex, str, bytes, type(None))


def described(what: Any) -> str:
    """Return the text that says which learner or method it is, the same in every process.

    It holds no address in memory, no row, and no source: code of one's own by its digest, with
    what it closes over and the functions, classes and numbers of its module that it names; arrays
    by theirs. What was measured (`Cost`) and what a dataclass leaves out of its repr decides
    nothing, and is left out.

    >>> from unteach.models.subsets.subset_ridge import SubsetRidge
    >>> described(SubsetRidge(alpha=2.0))
    'unteach.models.subsets.subset_ridge.SubsetRidge: SubsetRidge(alpha=2.0)'
    >>> one, other = np.zeros(3000), np.zeros(3000)
    >>> other[1500] = 1
    >>> repr(one) == repr(other), _said(one) == _said(other)
    (True, False)
    """
    if hasattr(what, "get_params"):
        text = canonical({k: _said(v) for k, v in what.get_params(deep=False).items()})
    elif is_dataclass(what):
        text = _said(what)
    else:
        held = getattr(what, "__dict__", {})
        text = canonical({k: _said(v) for k, v in sorted(held.items())})
    return f"{_named(type(what))}: {text}"


def _said(value: Any, above: tuple[int, ...] = ()) -> str:
    """Return a value in words that hold no address in memory; `above` are what it is a part of."""
    said = partial(_said, above=above)
    if isinstance(value, np.ndarray):
        plain = value.dtype.kind in "fiubc"
        held = digest(np.ascontiguousarray(value).tobytes() if plain else said(value.tolist()))
        return f"array({value.dtype}, {value.shape}, {held})"
    if isinstance(value, partial):
        return f"partial({said(value.func)}, {said(value.args)}, {said(value.keywords)})"
    if isinstance(value, Mapping):
        return _call("", {said(k): v for k, v in value.items()}, above)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(said, value))}]"
    if isinstance(value, MethodType) and not isinstance(value.__self__, type):
        return f"{_named(value)} of {said(value.__self__)}"
    if callable(value) and hasattr(value, "__qualname__"):
        return _named(value)
    if is_dataclass(value):
        parts = {f.name: getattr(value, f.name) for f in fields(value) if f.repr}
        return _call(type(value).__qualname__, parts, above)
    if hasattr(value, "get_params"):
        return _call(_named(type(value)), value.get_params(deep=False), above)
    if callable(getattr(value, "state_dict", None)):  # a torch module, whose repr lacks its numbers
        parts = {"said": repr(value), **value.state_dict()}
        return _call(_named(type(value)), parts, above)
    if hasattr(value, "detach"):
        return f"tensor {said(np.asarray(value.detach().cpu().tolist()))}"
    text = repr(value)
    return _held(value, above) if _ADDRESS.search(text) else text


def _held(value: Any, above: tuple[int, ...]) -> str:
    """Return an object whose repr is an address by its class and what it holds."""
    name = _named(type(value))
    if id(value) in above:
        return f"{name} again"
    if getattr(value, "__dict__", None):
        return _call(name, vars(value), (*above, id(value)))
    try:
        return f"{name} {digest(pickle.dumps(value))}"
    except (pickle.PicklingError, TypeError, AttributeError):  # a lock, for one: it decides nothing
        return name


def _call(kind: str, parts: Mapping[str, Any], above: tuple[int, ...] = ()) -> str:
    known = {k: v for k, v in parts.items() if not isinstance(v, Cost)}
    return f"{kind}({', '.join(f'{k}={_said(v, above)}' for k, v in known.items())})"


def _named(what: Any) -> str:
    """Return the name of a function or a class, with a digest of what it does if it is own."""
    name = f"{what.__module__}.{what.__qualname__}"
    return f"{name} {digest(_does(what, set()))[:16]}" if _own(what) else name


def _own(what: Any) -> bool:
    """Say whether it is code of the user's, and of no installed package."""
    top = str(getattr(what, "__module__", "")).partition(".")[0]
    if top in ("unteach", "builtins") or (top != "__main__" and top in sys.stdlib_module_names):
        return False
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return not {"site-packages", "dist-packages"} & set(re.split(r"[\\/]", file))


def _does(what: Any, seen: set[int]) -> Any:
    """Return what decides the doings of a value, as lists of text; each thing is told once."""
    for wrapped in ("__func__", "fget", "__wrapped__"):  # methods, properties, decorated
        what = getattr(what, wrapped, None) or what
    if id(what) in seen:
        return "again"
    if isinstance(what, type) and _own(what):
        seen.add(id(what))
        mine = [(k, _does(v, seen)) for k, v in sorted(vars(what).items()) if _tells(k, v)]
        return [[_does(base, seen) for base in what.__bases__], mine]
    if isinstance(what, FunctionType) and _own(what):
        seen.add(id(what))
        held = [_does(cell.cell_contents, seen) for cell in what.__closure__ or () if _full(cell)]
        defaults = [_said(what.__defaults__), _said(what.__kwdefaults__)]
        known = what.__globals__
        used = [(k, _does(known[k], seen)) for k in _globals(what.__code__) if k in known]
        return [_code(what.__code__), held, defaults, used]
    if isinstance(what, (type, ModuleType)):
        return _kind(what)
    told = isinstance(what, (*PLAIN, list, tuple, dict, np.ndarray, partial))
    told = told or is_dataclass(what) or _own(type(what))
    told = told or any(hasattr(what, name) for name in ("get_params", "state_dict", "detach"))
    return _said(what) if told else _kind(what)


def _tells(name: str, value: Any) -> bool:
    """Say whether an attribute of a class tells what it does: its methods, and plain settings."""
    if isinstance(value, PLAIN):
        return not name.startswith("__")
    return isinstance(value, (FunctionType, staticmethod, classmethod, property, type))


def _kind(value: Any) -> str:
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{getattr(named, '__module__', '')}.{named.__qualname__}"


def _full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name that was not bound yet
        return False


def _globals(code: CodeType) -> list[str]:
    """Return the names that code looks up in its module, sorted."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    for inner in code.co_consts:
        names |= set(_globals(inner)) if isinstance(inner, CodeType) else set()
    return sorted(names)


def _code(code: CodeType) -> list[Any]:
    """Return code as text that does not depend on where it stands, nor on the process."""
    constants = [
        _code(c)
        if isinstance(c, CodeType)
        else sorted(map(repr, c))
        if isinstance(c, frozenset)  # sets have no order
        else repr(c)
        for c in code.co_consts
    ]
    return [code.co_code.hex(), constants, *map(list, (code.co_names, code.co_freevars))]
