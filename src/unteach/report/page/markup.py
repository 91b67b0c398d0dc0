"""Text that can be trusted on a page: everything is escaped unless it is already markup."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

_VOID = {"br", "hr", "img", "input", "link", "meta"}
_SHAPES = {"path", "line", "circle", "rect", "use", "polyline"}
_TOKEN = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`|(\{\{)|(\}\})|\{([^{}]+)\}", re.DOTALL)

Cite = Callable[[str], "Html"]


class Html(str):
    """A string that is already markup, and therefore is not escaped again."""

    __slots__ = ()


def clean(text: object) -> str:
    r"""Return the text without characters that steer a terminal or turn the reading direction.

    >>> clean("a\x1b[31mb")
    'a�[31mb'
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or not _steers(c) else "\ufffd" for c in text)


def _steers(character: str) -> bool:
    kind = unicodedata.category(character)
    if kind in ("Cc", "Cs"):
        return True
    return kind == "Cf" and unicodedata.bidirectional(character) not in ("BN", "L")


def safe(value: object) -> Html:
    """Return markup as it is and anything else escaped.

    >>> safe("<b>"), safe(Html("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    return value if isinstance(value, Html) else Html(html.escape(clean(value)))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Return the parts, each made safe, as one piece of markup."""
    return Html(between.join(safe(p) for p in parts))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return one element; children and attributes are escaped, attributes of None are left out.

    >>> tag("p", "a < b", class_="lead", hidden=True)
    '<p class="lead" hidden>a &lt; b</p>'
    >>> tag("line", x1=1.25, x2="40%")
    '<line x1="1.25" x2="40%"/>'
    """
    written = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        if label == "viewbox":
            label = "viewBox"
        if isinstance(value, float):
            value = f"{value:.2f}".rstrip("0").rstrip(".")
            value = "0" if value == "-0" else value
        written.append(label if value is True else f'{label}="{safe(value)}"')
    opening = " ".join(written)
    if name in _VOID:
        return Html(f"<{opening}>")
    if name in _SHAPES and not children:
        return Html(f"<{opening}/>")
    return Html(f"<{opening}>{join(children)}</{name}>")


def inline(text: str, cite: Cite | None = None) -> Html:
    """Return one line of text as markup: **bold**, `code`, and {reading} where `cite` knows it.

    A brace is written twice to stand for itself where readings can be cited.

    >>> inline("**a** < `b`")
    '<strong>a</strong> &lt; <code>b</code>'
    """
    parts: list[object] = []
    at = 0
    for match in _TOKEN.finditer(text):
        bold, code, opened, closed, cited = match.groups()
        parts.append(text[at : match.start()])
        at = match.end()
        if bold is not None:
            parts.append(tag("strong", inline(bold, cite)))
        elif code is not None:
            parts.append(tag("code", code))
        elif cite is None:
            parts.append(match.group())
        elif opened or closed:
            parts.append("{" if opened else "}")
        else:
            parts.append(cite(cited))
    return join([*parts, text[at:]])


def paragraphs(text: str, cite: Cite | None = None) -> Html:
    r"""Return text as paragraphs, one for each block between empty lines.

    >>> paragraphs("a\n\nb")
    '<p>a</p><p>b</p>'
    """
    blocks = [b.strip() for b in re.split(r"\n\s*\n", text) if b.strip()]
    return join(tag("p", inline(" ".join(b.split()), cite)) for b in blocks)


def cited(text: str) -> tuple[str, ...]:
    """Return the names of the readings that a text cites.

    >>> cited("it falls by {drop}, and {{not}} this")
    ('drop',)
    """
    names: list[str] = []
    for match in _TOKEN.finditer(text):
        bold, _, _, _, name = match.groups()
        if bold is not None:
            names.extend(cited(bold))
        elif name is not None:
            names.append(name)
    return tuple(names)


def spoken(text: str, cite: Callable[[str], str]) -> str:
    """Return the text as plain words, cited readings written out.

    >>> spoken("**drop** is {d} in `x`", {"d": "0.1 [0.0, 0.2]"}.__getitem__)
    'drop is 0.1 [0.0, 0.2] in x'
    """

    def word(match: re.Match[str]) -> str:
        bold, code, opened, closed, name = match.groups()
        if bold is not None:
            return spoken(bold, cite)
        if code is not None:
            return code
        return "{" if opened else "}" if closed else cite(name)

    return clean(_TOKEN.sub(word, text))


def styled(text: str, cite: Callable[[str], str]) -> Text:
    """Return the text for a terminal: bold and code as styles, nothing else interpreted."""
    from rich.text import Text

    shown = Text()
    at = 0
    for match in _TOKEN.finditer(text):
        shown.append(clean(text[at : match.start()]))
        at = match.end()
        bold, _, _, _, name = match.groups()
        style = "bold" if bold is not None or name is not None else "cyan"
        style = "" if match.group() in ("{{", "}}") else style
        shown.append(spoken(match.group(), cite), style=style)
    shown.append(clean(text[at:]))
    return shown
