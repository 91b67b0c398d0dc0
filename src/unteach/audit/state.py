"""A model's state as bytes: what it would save, what it pickles to, what it holds in memory."""

from __future__ import annotations

import contextlib
import functools
import pickle
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

_OPAQUE = (type, types.ModuleType, types.BuiltinFunctionType, str, int, float, complex, bool)


def state_of(model: Any) -> Iterator[tuple[str, bytes]]:
    """Yield everything that a model holds, as (where, bytes).

    The file that it saves (if it can), its pickle (which also reaches the private state of
    compiled classes), and every array in memory that can be reached from it, each row by row
    and column by column, with the whole arrays that its views look into. An object that cannot
    be pickled still has its arrays walked. Nothing is ever unpickled.

    >>> class Holds:
    ...     def __init__(self, x):
    ...         self.view = x[:1]
    >>> x = np.array([[1.5, 2.5], [3.5, 4.5]])
    >>> any(x[1].tobytes() in raw for where, raw in state_of(Holds(x)) if where == "memory")
    True
    """
    if callable(getattr(model, "to_saved", None)):
        yield "saved file", model.to_saved().to_bytes()
    # what holds a lambda or a class of a function's own cannot be pickled; its arrays are walked
    with contextlib.suppress(pickle.PicklingError, TypeError, AttributeError):
        yield "pickle", pickle.dumps(model, protocol=5)
    yield from (("memory", raw) for raw in _arrays(model))


def _arrays(root: Any) -> Iterator[bytes]:
    """Yield the bytes of each array that can be reached, whole bases of views included."""
    seen: dict[int, Any] = {}  # keeps what it has seen alive, so that no id is used twice
    ahead = [root]
    while ahead:
        thing = ahead.pop()
        if thing is None or isinstance(thing, _OPAQUE) or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, np.ndarray):
            if thing.dtype.hasobject:
                ahead.extend(thing.ravel().tolist())
            else:
                yield thing.tobytes()
                if thing.ndim == 2 and min(thing.shape) > 1:
                    yield thing.T.tobytes()
            ahead.append(thing.base)
        elif isinstance(thing, (bytes, bytearray, memoryview)):
            yield bytes(thing)
            if isinstance(thing, memoryview):
                ahead.append(thing.obj)
        else:
            ahead.extend(_parts(thing))


def _parts(thing: Any) -> list[Any]:
    """Return what an object holds: entries, attributes, slots, and what a function closes over."""
    parts: list[Any] = []
    if isinstance(thing, dict):
        parts += [*thing.keys(), *thing.values()]
    elif isinstance(thing, (list, tuple, set, frozenset)):
        parts += list(thing)
    elif isinstance(thing, functools.partial):
        parts += [thing.func, thing.args, thing.keywords]
    elif isinstance(thing, types.MethodType):
        parts += [thing.__self__, thing.__func__]
    elif isinstance(thing, types.FunctionType):
        parts += [thing.__defaults__, thing.__kwdefaults__]
        parts += [c.cell_contents for c in thing.__closure__ or () if _filled(c)]
    parts += list(getattr(thing, "__dict__", {}).values())
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__dict__", "__weakref__") and hasattr(thing, slot):
                parts.append(getattr(thing, slot))
    return parts


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # an empty cell
        return False
