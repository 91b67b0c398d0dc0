"""Towers of one's own: a TOML file, or a Python module, read into a checked skill graph."""

from __future__ import annotations

import ast
import os
import runpy
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unteach.core import CONTROL, BadInput, read_whole

from ..graph.integer_formula import check_constant, expression, shown, syntax
from ..graph.skill import Skill, Truth, tabled
from ..graph.skill_graph import SkillGraph

_TOP = {"name", "symbols", "constants", "maps", "skills", "reductions"}
_SKILL = {"inputs", "outputs", "rule", "table", "calls", "when", "needs", "about"}


def load_tower(path: str | os.PathLike[str]) -> SkillGraph:
    """Return the tower that a file describes, its programs checked on all inputs.

    A `.toml` file is data: nothing in it is run as Python. A `.py` file is a program of your own:
    it is run, and must define `tower()`, which returns a `SkillGraph`. `docs/tower.md` shows both.

    Parameters
    ----------
    path : the file

    Errors : BadInput for a file that cannot be read, unknown or missing entries, and all that
        `SkillGraph` refuses

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... name = "logic"
    ... symbols = ["0", "1"]
    ... [skills.NOT]
    ... inputs = ["a"]
    ... table = { 0 = "1", 1 = "0" }
    ... [skills.AND]
    ... inputs = ["a", "b"]
    ... rule = "min(a, b)"
    ... [skills.OR]
    ... inputs = ["a", "b"]
    ... calls = "NOT(AND(NOT(a), NOT(b)))"
    ... [[reductions]]
    ... skill = "AND"
    ... from = "NOT(OR(NOT(a), NOT(b)))"
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "logic.toml").write_text(text)
    ...     g = load_tower(Path(folder, "logic.toml"))
    >>> g.truth("OR", np.array([[0, 0], [0, 1]])).tolist(), sorted(g.recoverable({"OR", "NOT"}))
    ([[0], [1]], ['AND'])
    """
    file = Path(path)
    if file.suffix == ".py":
        return _from_module(file)
    if file.suffix != ".toml":
        raise BadInput(f"a tower is a .toml or a .py file, got {file.name!r}")
    raw = read_whole(file)
    try:
        return from_spec(tomllib.loads(raw.decode("utf-8-sig")))
    except BadInput:
        raise
    except ValueError as error:  # no text, no TOML, or a number of more digits than Python reads
        raise BadInput(f"the tower {file.name} cannot be read: {error}") from error
    except RecursionError as error:
        raise BadInput(f"the tower {file.name} is nested too deeply") from error


def from_spec(spec: Mapping[str, Any]) -> SkillGraph:
    """Return the tower that a mapping describes, laid out as in a TOML file."""
    _known("the tower", spec, _TOP, {"name", "symbols", "skills"})
    symbols = _words("symbols", spec["symbols"])
    constants = _kind("constants", spec.get("constants", {}), dict)
    for constant, value in constants.items():
        check_constant(_kind(f"the constant {constant}", value, int), f"the constant {constant}")
    maps = {
        name: tabled(name, _kind(f"the map {name}", table, dict), 1, symbols)(
            np.arange(len(symbols))[:, None]
        )[:, 0]
        for name, table in _kind("maps", spec.get("maps", {}), dict).items()
    }
    skills = [
        _skill(name, _kind(f"skill {name}", entry, dict), symbols, constants)
        for name, entry in _kind("skills", spec["skills"], dict).items()
    ]
    reductions = []
    for entry in _kind("reductions", spec.get("reductions", []), list):
        _known(
            "a reduction", _kind("a reduction", entry, dict), {"skill", "from"}, {"skill", "from"}
        )
        reductions.append(
            tuple(_kind(f"{k!r} of a reduction", entry[k], str) for k in ("skill", "from"))
        )
    return SkillGraph(_kind("name", spec["name"], str), symbols, tuple(skills), reductions, maps)


def _skill(
    name: str, entry: Mapping[str, Any], symbols: tuple[str, ...], constants: Mapping[str, int]
) -> Skill:
    _known(f"skill {name}", entry, _SKILL, {"inputs"})
    inputs = _words(f"inputs of {name}", entry["inputs"])
    rule, calls, when_, about = (
        _kind(f"{k!r} of {name}", entry.get(k, ""), str) for k in ("rule", "calls", "when", "about")
    )
    if "rule" in entry and "table" in entry:
        raise BadInput(f"skill {name} has a rule and a table; give one of them")
    truth: Truth | None = None
    probe = np.zeros((1, len(inputs)), dtype=np.int64)
    outputs = _kind(f"outputs of {name}", entry.get("outputs", _returned(calls)), int)
    if "rule" in entry:
        truth = expression(rule, inputs, constants)
        outputs = _outputs(truth, probe, outputs)
    elif "table" in entry:
        table = _kind(f"the table of {name}", entry["table"], dict)
        truth = tabled(name, table, len(inputs), symbols)
        outputs = _outputs(truth, probe, outputs)
    elif "calls" not in entry:
        raise BadInput(f"skill {name} needs a rule, a table or calls")
    when = None
    if "when" in entry:
        condition = expression(when_, inputs, constants)
        when = lambda x: condition(x)[:, 0] != 0  # noqa: E731
    return Skill(
        name,
        inputs,
        outputs,
        truth,
        calls,
        when,
        _words(f"needs of {name}", entry.get("needs", [])),
        about,
    )


def _outputs(truth: Truth, probe: np.ndarray[Any, Any], otherwise: int) -> int:
    """Return how many outputs a function has, seen on one input."""
    try:
        return int(truth(probe).shape[1])
    except BadInput:  # not defined on this one input; the check on all inputs will tell
        return otherwise


def _returned(calls: str) -> int:
    """Return how many values stand in the last line of a program that can be read."""
    lines = syntax("\n".join(s.strip() for s in calls.strip().splitlines()), "calls").body
    last = lines[-1] if lines else None
    value = last.value if isinstance(last, (ast.Return, ast.Expr)) else None
    return len(value.elts) if isinstance(value, ast.Tuple) else 1


def _from_module(file: Path) -> SkillGraph:
    if not file.exists():
        raise BadInput(f"the tower {file} does not exist")
    make = runpy.run_path(str(file)).get("tower")
    made = make() if callable(make) else None
    if not isinstance(made, SkillGraph):
        raise BadInput(f"{file.name} must define tower(), which returns a SkillGraph; got {made!r}")
    return made


def _known(what: str, entry: Mapping[str, Any], allowed: set[str], wanted: set[str]) -> None:
    if strange := set(entry) - allowed:
        raise BadInput(
            f"{what} has unknown entries {sorted(strange)}; it may have {sorted(allowed)}"
        )
    if missing := wanted - set(entry):
        raise BadInput(f"{what} lacks {sorted(missing)}")


_KINDS = {list: "a list", dict: "a table of names and values", str: "text", int: "a whole number"}


def _kind(what: str, value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise BadInput(f"{what} must be {_KINDS[kind]}, got {shown(str(value))}")
    return value


def _words(what: str, value: Any) -> tuple[str, ...]:
    """Return a list of words, where numbers may stand for themselves."""
    words = tuple(str(v) if type(v) is int else v for v in _kind(what, value, list))
    for word in words:
        if len(_kind(f"each of the {what}", word, str).split()) != 1 or CONTROL.search(word):
            raise BadInput(f"{what} are words without spaces, got {word!r}")
    return words
