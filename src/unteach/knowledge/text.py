"""The Datalog-like text form of facts and rules: one clause a line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from unteach.core import BadInput

from .facts import Fact
from .rules import Atom, Rule, Term, Var

_TOKEN = re.compile(
    r"\s*(?:(?P<if>:-)|(?P<differ>!=|≠)|(?P<mark>[(),.:])|(?P<quoted>'(?:[^'\\]|\\.)*'|"
    r'"(?:[^"\\]|\\.)*")|(?P<name>\w[\w-]*))'
)


class _Reader:
    """The tokens of one clause, read from the left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self.typed: list[Atom] = []
        self.fresh = itertools.count(1)
        place = 0
        while (left := text[place:].strip()) and left[0] not in "%#":
            match = _TOKEN.match(text, place)
            if match is None:
                raise BadInput(f"cannot read {left!r} in {text!r}")
            self.tokens.append((str(match.lastgroup), match.group().strip()))
            place = match.end()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "the end")

    def take(self, *expected: str) -> str:
        kind, text = self.peek()
        if text not in expected and kind not in expected:
            raise BadInput(self.refusal(expected))
        self.at += 1
        return text

    def refusal(self, expected: tuple[str, ...]) -> str:
        kind, text = self.peek()
        wanted = "a name" if "name" in expected else " or ".join(map(repr, expected))
        if kind == "end":
            return (f"a clause stands on one line, and {wanted} is expected there; got the end "
                    f"of {self.text!r}")  # fmt: skip
        if "end" in expected:
            return f"expected the end of the line, got {text!r} in {self.text!r}"
        return f"expected {wanted}, got {text!r} in {self.text!r}"

    def took(self, mark: str) -> bool:
        found = self.peek()[1] == mark and self.peek()[0] != "quoted"
        self.at += found
        return found

    def term(self, *, types: bool) -> Term:
        kind = self.peek()[0]
        word = self.take("name", "quoted")
        if kind == "quoted":
            return _unquoted(word)
        if word == "_":
            used = {text for _, text in self.tokens}
            return Var(next(n for n in (f"_{k}" for k in self.fresh) if n not in used))
        if not (word[0].isupper() or word[0] == "_"):
            return word
        variable = Var(word)
        if types and self.took(":"):
            self.typed.append(Atom(self.take("name"), (variable,)))
        return variable

    def atom(self) -> Atom:
        kind = self.peek()[0]
        predicate = self.take("name", "quoted")
        predicate = _unquoted(predicate) if kind == "quoted" else predicate
        if predicate == "not" and kind != "quoted":
            raise BadInput(f"a Horn rule has no negation: {self.text!r}")
        self.take("(")
        terms = [self.term(types=True)]
        while self.took(","):
            terms.append(self.term(types=True))
        self.take(")")
        return Atom(predicate, tuple(terms))

    def close(self) -> None:
        self.took(".")
        self.take("end")


def parse_clause(text: str) -> Fact | Rule:
    """Return the fact or the rule that a line of text says; a full stop at its end may be left out.

    Names that begin with a capital or an underscore are variables, `_` is one that nothing else
    refers to; other names, and all in quotes, are constants. `X != Y` asks that two differ, and
    `X:male` is short for another condition `male(X)`.

    >>> parse_clause("father(ann, 'Bob Lee').")
    ('father', 'ann', 'Bob Lee')
    """
    reader = _Reader(text)
    head = reader.atom()
    if not reader.took(":-"):
        reader.close()
        if head.variables() or reader.typed:
            name = sorted(v.name for v in head.variables())[0]
            raise BadInput(f"{name} is a variable and this is a fact: {text!r}; quote a name that "
                           "begins with a capital")
        return (head.predicate, *(str(t) for t in head.terms))
    body: list[Atom] = []
    distinct: list[tuple[Term, Term]] = []
    while True:
        after = reader.tokens[reader.at + 1 : reader.at + 2]
        if after and after[0][0] == "differ":
            left = reader.term(types=False)
            reader.take("differ")
            distinct.append((left, reader.term(types=False)))
        else:
            body.append(reader.atom())
        if not reader.took(","):
            break
    reader.close()
    atoms = dict.fromkeys([*body, *reader.typed])
    return Rule(head, tuple(atoms), tuple(distinct))


def parse_rule(text: str) -> Rule:
    """Return the rule that a text says.

    >>> parse_rule("grandfather(X, Z) :- father(X, Y), father(Y, Z)").head.predicate
    'grandfather'
    """
    found = parse_clause(text)
    if not isinstance(found, Rule):
        raise BadInput(f"a rule has ':-' between its head and its body, got {text!r}")
    return found


def parse_fact(text: str) -> Fact:
    """Return the fact that a text says.

    >>> parse_fact("father(ann, bob)")
    ('father', 'ann', 'bob')
    """
    found = parse_clause(text)
    if isinstance(found, Rule):
        raise BadInput(f"a fact has no ':-', got {text!r}")
    return found


def parse_lines(lines: Iterable[str], name: str) -> tuple[list[Fact], list[Rule]]:
    """Return the facts and the rules of a text; `%` and `#` begin comments.

    Raises
    ------
    BadInput : a line that cannot be read, by its number
    """
    facts: list[Fact] = []
    rules: list[Rule] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip()[0] in "%#":
            continue
        try:
            found = parse_clause(line.strip())
        except BadInput as error:
            raise BadInput(f"{name}, line {number}: {error}") from error
        (rules if isinstance(found, Rule) else facts).append(found)  # type: ignore[arg-type]
    return facts, rules


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
