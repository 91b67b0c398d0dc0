"""Rules of atoms written as text: a small, safe language of whole numbers, run on whole columns."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unteach.core import BadInput

Array = NDArray[Any]
Node = Callable[[Mapping[str, Any]], Any]

_DEEPEST = 200
_LARGEST = 2**31

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_CALLS: dict[str, Callable[[Any, Any], Any]] = {"min": np.minimum, "max": np.maximum}


def expression(
    text: str, names: Sequence[str], constants: Mapping[str, int] | None = None
) -> Callable[[Array], Array]:
    """Return the function of columns that a rule describes.

    A rule is one expression, or several between commas, one for each output: whole numbers,
    names, `+ - * // %`, comparisons, `and or not`, `x if c else y`, `min(x, y)` and `max(x, y)`.
    Symbols stand for their numbers, counted from 0. Nothing else is understood, so that a rule
    from a stranger's file can compute numbers and do nothing else.

    Parameters
    ----------
    text : the rule
    names : what the inputs are called, in order
    constants : further names and what they stand for, such as the modulus

    Returns the function from (n, inputs) to (n, outputs) whole numbers.

    Errors : BadInput for anything outside this language, and for division by zero when run

    Examples
    --------
    >>> add = expression("(a + b) % p", ["a", "b"], {"p": 7})
    >>> add(np.array([[3, 5], [6, 6]])).tolist()
    [[1], [5]]
    >>> expression("__import__('os')", [])
    Traceback (most recent call last):
    ...
    unteach.core.errors.BadInput: the rule "__import__('os')" calls '__import__'; a rule may
    call min and max, each with two arguments
    """
    fixed = dict(constants or {})
    for name, number in fixed.items():
        check_constant(number, f"the constant {name}")
    known = {*names, *fixed}
    body = syntax(text.strip(), f"the rule {shown(text)}", "eval").body
    parts = body.elts if isinstance(body, ast.Tuple) else [body]
    if not parts:
        raise BadInput(f"the rule {text!r} gives nothing; write one expression an output")
    compiled = [_compiled(part, known, text) for part in parts]

    def run(inputs: Array) -> Array:
        largest = int(np.abs(inputs).max(initial=0))
        sizes = dict.fromkeys(names, largest) | {name: abs(n) for name, n in fixed.items()}
        if any(_bound(part, sizes) >= 2**63 for part in parts):
            raise BadInput(
                f"the rule {shown(text)} may compute a number beyond 64 bits; take the "
                "remainder (%) after each step"
            )
        values: dict[str, Any] = {n: inputs[:, k] for k, n in enumerate(names)} | fixed
        with np.errstate(divide="raise", invalid="raise"):
            try:
                columns = [np.broadcast_to(c(values), len(inputs)) for c in compiled]
                return np.stack(columns, axis=1).astype(np.int64)
            except (FloatingPointError, ZeroDivisionError) as error:
                raise BadInput(f"the rule {text!r} divides by zero on some input") from error

    return run


def _bound(node: ast.AST, sizes: Mapping[str, int]) -> int:
    """Return how large the numbers can get while a checked rule is computed."""
    below = [_bound(n, sizes) for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
    if isinstance(node, ast.Constant):
        return abs(int(node.value))  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return sizes.get(node.id, 0)  # min and max are names too
    if isinstance(node, ast.BinOp):
        left, right = below
        if max(left, right) >= 2**63:
            return max(left, right)
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)):
            return left if isinstance(node.op, ast.FloorDiv) else right
        return left * right if isinstance(node.op, ast.Mult) else left + right
    return max(below, default=0)


def syntax(text: str, what: str, mode: Literal["eval", "exec"] = "exec") -> Any:
    """Return the syntax tree of a text that a stranger may have written.

    Errors : BadInput for what is no Python syntax, whole numbers above 2**31, and more than 200
        parts within each other, which no one writes by hand
    """
    try:
        tree = ast.parse(text, mode=mode)
    except SyntaxError as error:
        raise BadInput(f"{what} cannot be read: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte; too many brackets
        raise BadInput(f"{what} cannot be read: {error or 'it is nested too deeply'}") from error
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        for node in level:
            if isinstance(node, ast.Constant) and type(node.value) is int:
                check_constant(node.value, what)
        level = [below for node in level for below in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise BadInput(f"{what} cannot be read: it is nested more than {_DEEPEST} deep")


def check_constant(number: int, what: str) -> None:
    """Raise `BadInput` for a number whose products would leave 64 bits unseen."""
    if abs(number) > _LARGEST:
        raise BadInput(f"{what} holds a whole number above {_LARGEST}; symbols are far fewer")


def shown(text: str) -> str:
    """Return a text in quotes, of a long one how it begins."""
    return repr(text) if len(text) <= 160 else f"{text[:160]!r}..."


def _compiled(node: ast.AST, known: set[str], text: str) -> Node:
    """Return a node as a function of the named columns."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        number = node.value
        return lambda _: number
    if isinstance(node, ast.Name):
        name = node.id
        if name not in known:
            raise BadInput(f"the rule {text!r} names {name!r}; it may use {sorted(known)}")
        return lambda values: values[name]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        act = _BINARY[type(node.op)]
        left, right = _compiled(node.left, known, text), _compiled(node.right, known, text)
        return lambda values: act(left(values), right(values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _compiled(node.operand, known, text)
        return lambda values: -inner(values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _compiled(node.operand, known, text)
        return lambda values: np.logical_not(inner(values))
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        parts = [_compiled(value, known, text) for value in node.values]
        return lambda values: join.reduce(np.broadcast_arrays(*(p(values) for p in parts)))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
        compare = _COMPARE[type(node.ops[0])]
        left, right = _compiled(node.left, known, text), _compiled(node.comparators[0], known, text)
        return lambda values: compare(left(values), right(values))
    if isinstance(node, ast.IfExp):
        test, yes, no = (_compiled(n, known, text) for n in (node.test, node.body, node.orelse))
        return lambda values: np.where(test(values), yes(values), no(values))
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called not in _CALLS or len(node.args) != 2 or node.keywords:
            raise BadInput(
                f"the rule {text!r} calls {called!r}; a rule may call min and max, each with "
                "two arguments"
            )
        choose = _CALLS[called]
        left, right = (_compiled(argument, known, text) for argument in node.args)
        return lambda values: choose(left(values), right(values))
    raise BadInput(
        f"the rule {text!r} holds {ast.unparse(node)!r}, which is not part of the language: "
        "whole numbers, names, + - * // %, one comparison at a time, and, or, not, if-else, "
        "min and max"
    )
