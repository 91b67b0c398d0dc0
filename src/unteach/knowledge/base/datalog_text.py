"""The Datalog-like text form of facts and rules: a clause ends at its full stop or its line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unteach.core import BadInput

from .facts import LITERAL, Fact, check_name, literal
from .rules import Atom, Rule, Term, Var

_TOKEN = re.compile(
    r"(?P<skip>\s+|[%#][^\n]*|/\*(?s:.*?)\*/)|(?P<if>:-)|(?P<differ>!=|≠|\\==?)|"
    rf'(?P<literal>"(?:[^"\\\n]|\\.)*"(?:{LITERAL}))|'
    r"""(?P<quoted>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|"""
    r"(?P<number>[+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?(?![\w-])|[+-][0-9]+(?![\w-]))|"
    r"(?P<name>\w[\w-]*)|(?P<mark>[(),.:])"
)
_WORD = ("name", "number", "quoted", "literal")
_OPEN = (",", ":-", ":", "(")  # a line that ends so, or whose next begins so, goes on
_ADVICE = (
    (r"/\*", "the comment that begins here has no end, */"),
    (r"\\\+|¬|~|!", "a Horn rule has no negation and no cut"),
    (r";|\|", "write one rule for each alternative"),
    (r"&|∧", "conditions stand between commas"),
    (r"<-|←|<=|->|=>", "':-' stands between the head of a rule and its body"),
    (r"=:=|=\\=|=<|>=|[<>]", "numbers are names and are not compared"),
    (r"=", "write one name for two that are equal, or '!=' for two that differ"),
    (r"\?-", "a query is no rule"),
    (r"\[|\{", "there are no lists; a term is a name or a variable"),
    (r"['\"]", "the quote has no end on its line"),
)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int  # place in the text
    line: int


def _tokens(text: str, name: str = "") -> Iterator[_Token]:
    """Yield the tokens of a text; what is none is refused, with its line where there is a name."""
    place, line = 0, 1
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            left = text[place:].partition("\n")[0].strip()
            whole = text[text.rfind("\n", 0, place) + 1 :].partition("\n")[0].strip()
            why = next((f"; {what}" for mark, what in _ADVICE if re.match(mark, left)), "")
            where = f"{name}, line {line}: " if name else ""
            raise BadInput(f"{where}cannot read {_short(left)!r} in {_short(whole)!r}{why}")
        if match.lastgroup != "skip":
            yield _Token(str(match.lastgroup), match.group(), place, line)
        line += match.group().count("\n")
        place = match.end()


def _clauses(tokens: Iterator[_Token]) -> Iterator[list[_Token]]:
    """Yield the tokens of each clause: up to a full stop, or a line's end where it may end."""
    clause: list[_Token] = []
    depth = 0
    for token in tokens:
        if clause and token.line > clause[-1].line and depth <= 0:
            goes_on = {clause[-1].text, token.text} & {*_OPEN} or "differ" in (
                clause[-1].kind,
                token.kind,
            )
            if not goes_on and token.text not in (".", ")"):
                yield clause
                clause, depth = [], 0
        clause.append(token)
        if token.kind == "mark":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if token.text == ".":
                yield clause
                clause, depth = [], 0
    if clause:
        yield clause


class _Reader:
    """The tokens of one clause, read from the left."""

    def __init__(self, tokens: Sequence[_Token], text: str) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.typed: list[Atom] = []
        self.fresh = itertools.count(1)

    @property
    def said(self) -> str:
        """The clause as it is written, of a long one how it begins."""
        if not self.tokens:
            return self.text.strip()
        last = self.tokens[-1]
        return _short(self.text[self.tokens[0].start : last.start + len(last.text)])

    @property
    def lines(self) -> str:
        """Where the clause stands, up to what was read of it."""
        first = self.tokens[0].line
        last = self.tokens[min(self.at, len(self.tokens) - 1)].line
        return f"line {first}" if first == last else f"lines {first} to {last}"

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at][:2] if self.at < len(self.tokens) else ("end", "the end")

    def take(self, *expected: str) -> str:
        kind, text = self.peek()
        if (text not in expected or kind in _WORD) and kind not in expected:
            raise BadInput(self.refusal(expected))
        self.at += 1
        return text

    def refusal(self, expected: tuple[str, ...]) -> str:
        kind, text = self.peek()
        wanted = "a name" if "name" in expected else " or ".join(map(repr, expected))
        if kind == "end":
            return f"expected {wanted}, got the end of {self.said!r}"
        if "end" in expected:
            return f"expected the end of the clause, got {text!r} in {self.said!r}"
        return f"expected {wanted}, got {text!r} in {self.said!r}"

    def took(self, mark: str) -> bool:
        found = self.peek()[1] == mark and self.peek()[0] not in _WORD
        self.at += found
        return found

    def term(self, *, types: bool) -> Term:
        kind = self.peek()[0]
        word = self.take(*_WORD)
        if kind != "name":
            return self.name(kind, word)
        if word == "_":
            used = {token.text for token in self.tokens}
            return Var(next(n for n in (f"_{k}" for k in self.fresh) if n not in used))
        if not (word[0].isupper() or word[0] == "_"):
            return word
        variable = Var(word)
        if types and self.took(":"):
            self.typed.append(Atom(self.take("name"), (variable,)))
        return variable

    def name(self, kind: str, word: str) -> str:
        if kind == "literal":
            end = word.rindex('"') + 1
            word = literal(word[:end], word[end:])
        elif kind == "quoted":
            strange = [mark for mark in re.findall(r"\\(.)", word) if mark not in "\\'\""]
            if strange:
                raise BadInput(
                    f"\\{strange[0]} in {word} means nothing; in quotes a backslash "
                    "stands before a quote or another backslash"
                )
            word = re.sub(r"\\(.)", r"\1", word[1:-1])
            if not word:
                raise BadInput(f"an empty name stands in {self.said!r}")
        check_name(word)
        return word

    def atom(self) -> Atom:
        kind = self.peek()[0]
        predicate = self.name(kind, self.take("name", "quoted", "literal"))
        if predicate == "not" and kind == "name":
            raise BadInput(f"a Horn rule has no negation: {self.said!r}")
        if self.peek()[1] in (",", ".", ":-", "the end"):
            raise BadInput(
                f"{predicate!r} stands without an argument in {self.said!r}; write "
                f"{predicate}(it), with a name of your own"
            )
        self.take("(")
        terms = [self.term(types=True)]
        while self.took(","):
            terms.append(self.term(types=True))
        if self.peek()[1] == "(":
            raise BadInput(
                f"a term is a name or a variable, and {terms[-1]} in {self.said!r} has "
                "arguments of its own; give them a predicate"
            )
        self.take(",", ")")
        return Atom(predicate, tuple(terms))

    def close(self) -> None:
        self.took(".")
        self.take("end")

    def clause(self) -> Fact | Rule:
        if self.peek()[1] == ":-":
            raise BadInput(f"{self.said!r} is a directive; only facts and rules stand here")
        head = self.atom()
        if not self.took(":-"):
            self.close()
            if head.variables() or self.typed:
                name = sorted(v.name for v in head.variables())[0]
                raise BadInput(
                    f"{name} is a variable and this is a fact: {self.said!r}; quote a "
                    "name that begins with a capital"
                )
            return (head.predicate, *(str(t) for t in head.terms))
        body: list[Atom] = []
        distinct: list[tuple[Term, Term]] = []
        while True:
            after = self.tokens[self.at + 1 : self.at + 2]
            if after and after[0].kind == "differ":
                left = self.term(types=False)
                self.take("differ")
                distinct.append((left, self.term(types=False)))
            else:
                body.append(self.atom())
            if not self.took(","):
                break
        self.close()
        atoms = dict.fromkeys([*body, *self.typed])
        return Rule(head, tuple(atoms), tuple(distinct))


def parse_clause(text: str) -> Fact | Rule:
    """Return the fact or the rule that a text says; a full stop at its end may be left out.

    Names that begin with a capital or an underscore are variables, `_` is one that nothing else
    refers to; other names, and all in quotes, are constants. `X != Y` asks that two differ, and
    `X:male` is short for another condition `male(X)`. `"gift"@en` and `"7"^^xsd:integer` are
    literals of RDF. `%` and `#` begin a comment, and `/*` one that ends with `*/`.

    >>> parse_clause("father(ann, 'Bob Lee').")
    ('father', 'ann', 'Bob Lee')
    """
    return _Reader(list(_tokens(text)), text).clause()


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


def parse_text(text: str, name: str) -> tuple[list[Fact], list[Rule]]:
    """Return the facts and the rules of a text; a clause ends at a full stop, or with its line.

    A line goes on in the next one where it cannot end: within parentheses, after a comma or `:-`,
    or where the next one begins with one of these.

    Parameters
    ----------
    text : the text
    name : what it is called in errors

    Raises
    ------
    BadInput : a clause that cannot be read, by its line
    """
    facts: list[Fact] = []
    rules: list[Rule] = []
    for tokens in _clauses(_tokens(text, name)):
        reader = _Reader(tokens, text)
        try:
            found = reader.clause()
        except BadInput as error:
            raise BadInput(f"{name}, {reader.lines}: {error}") from error
        (rules if isinstance(found, Rule) else facts).append(found)  # type: ignore[arg-type]
    return facts, rules


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else f"{text[:160]}..."
