"""RDF files as facts: a term keeps what tells it from others, and no other file is opened."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import threading
import warnings
import xml.parsers.expat
import xml.sax
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unteach.core import BadInput

from .facts import Fact, as_fact, literal

FORMS = {
    ".nt": "nt",
    ".ttl": "turtle",
    ".rdf": "xml",
    ".xml": "xml",
    ".n3": "n3",
    ".jsonld": "json-ld",
}
_ROOT = "http://document.invalid/"
_BASE = f"{_ROOT}1/2/3/4/5/6/7/8/"
"""What a file's own relative names are resolved against, to be taken off again."""
_PLAIN = str.maketrans(
    {chr(k): f"\\u{k:04X}" for k in (*range(32), *range(127, 160))}
    | {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)
_FAULTS = (
    SyntaxError,
    ValueError,
    LookupError,
    NameError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    xml.sax.SAXException,
)
"""What rdflib's parsers let through, beside errors of their own, where a file is broken."""
_LOCK = threading.Lock()


def rdf_facts(raw: bytes, form: str, path: Path, document: Any = None) -> list[Fact]:
    r"""Return (predicate, subject, object) of each statement of an RDF file, sorted.

    Different terms are different names. A resource is its IRI, as it is written in the file where
    it is relative and no base is given; a literal is Turtle's own text of it, `"gift"`,
    `"gift"@en` or `"7"^^xsd:integer`. Blank nodes are numbered in the file's order, and their
    names hold a digest of the file: the same file gives the same names, and no other one does.

    Parameters
    ----------
    raw : the file
    form : one of `FORMS`
    path : what it is called in errors
    document : what a JSON-LD file holds

    Errors : BadInput for what cannot be read, a JSON-LD context that stands elsewhere, an XML
        document type, and what is no statement of RDF (a named graph, a formula, a variable)
    """
    try:
        import rdflib
        from rdflib.plugins.parsers.notation3 import RDFSink
        from rdflib.store import TripleAddedEvent
    except ImportError as error:
        raise BadInput(f"{path} is RDF, which needs rdflib: pip install 'unteach[rdf]'") from error
    if form == "json-ld":
        _refuse_remote(document, path)
    elif form == "xml":
        _refuse_document_type(raw, path)
    graph = rdflib.Graph(bind_namespaces="none")
    events: list[Any] = []
    store: Any = graph.store
    store.dispatcher.subscribe(TripleAddedEvent, events.append)
    with _exact(rdflib):
        try:
            if form in ("turtle", "n3"):
                parser = _turtle_parser()(RDFSink(graph), baseURI=_BASE, turtle=form == "turtle")
                parser.loadBuf(raw.removeprefix(b"\xef\xbb\xbf").decode())
            else:
                graph.parse(data=raw, format=form, publicID=_BASE)
        except Exception as error:  # rdflib raises Exception itself in two places
            if not isinstance(error, (rdflib.exceptions.Error, *_FAULTS)) and (
                type(error) is not Exception
            ):
                raise
            where = _broken_line(raw, form, error, len(events))
            if isinstance(error, RecursionError):
                raise BadInput(f"{path}: it is nested too deeply") from error
            said = " ".join(str(error).replace(_BASE, "").split())
            said = re.sub(r"^at line .*?Bad syntax \((.*)\) at \^ .*|^\S*:\d+:\d+: ", r"\1", said)
            raise BadInput(f"{path}{where}: {said[:160] or type(error).__name__}") from error
    digest = hashlib.sha256(raw).hexdigest()[:8]
    names: dict[Any, str] = {}
    facts = set()
    for event in events:
        subject, predicate, object_ = event.triple
        graph_name = getattr(event.context, "identifier", event.context)
        if graph_name not in (None, graph.identifier):
            said = str(graph_name).replace(_BASE, "")[:160]
            raise BadInput(
                f"{path} holds the named graph or formula {said!r}, and facts have no "
                "graph; give each graph as a file of its own"
            )
        try:
            facts.add(
                as_fact(
                    [_name(rdflib, term, names, digest) for term in (predicate, subject, object_)]
                )
            )
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from error
    if document and not facts:
        raise BadInput(
            f"{path} holds no statement: a key counts where the @context says what it "
            "means, and a resource where its name is an IRI"
        )
    return sorted(facts)


def _name(rdflib: Any, term: Any, blank: dict[Any, str], digest: str) -> str:
    """Return the name of a term; equal names are equal terms."""
    if isinstance(term, rdflib.Literal):
        suffix = f"@{term.language}" if term.language else ""
        if term.datatype is not None and not suffix:
            suffix = f"^^<{term.datatype}>"
        return literal(f'"{str(term).translate(_PLAIN)}"', suffix)
    if isinstance(term, rdflib.BNode):
        return blank.setdefault(term, f"_:{digest}-{len(blank) + 1}")
    if not isinstance(term, rdflib.URIRef):
        raise BadInput(f"{type(term).__name__} {str(term)[:160]!r} is no resource and no literal")
    text = str(term)
    if text.startswith(_BASE):
        return text[len(_BASE) :] or "<>"
    if text.startswith(f"{_ROOT}1/"):
        raise BadInput(
            "a relative name climbs out of its folder with '..'; give a base, such as "
            "@base <http://example.org/>"
        )
    if text.startswith(_ROOT):
        return text[len(_ROOT) - 1 :]
    if text.startswith(('"', "_:")):
        raise BadInput(f"the resource {text!r} would be read as a literal or a blank node")
    return text


@contextlib.contextmanager
def _exact(rdflib: Any) -> Iterator[None]:
    """Let rdflib keep literals as they are written, and say nothing of its own meanwhile."""
    log = logging.getLogger("rdflib")
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, level = rdflib.NORMALIZE_LITERALS, log.level
        rdflib.NORMALIZE_LITERALS = False
        log.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            rdflib.NORMALIZE_LITERALS = before
            log.setLevel(level)


def _turtle_parser() -> type[Any]:
    """Return rdflib's parser of Turtle and N3, for which 01 and 1 are two literals."""
    from decimal import Decimal

    from rdflib import XSD as NAMES
    from rdflib import Literal
    from rdflib.plugins.parsers.notation3 import SinkParser

    class Parser(SinkParser):
        def nodeOrLiteral(self, argstr: str, i: int, res: Any) -> int:
            end: int = super().nodeOrLiteral(argstr, i, res)
            if end >= 0 and type(res[-1]) in (int, Decimal):
                text = re.search(r"[-+]?[0-9]*\.?[0-9]+\Z", argstr[i:end])
                kind = NAMES.integer if type(res[-1]) is int else NAMES.decimal
                res[-1] = Literal(text.group() if text else str(res[-1]), datatype=kind)
            return end

    return Parser


def _refuse_remote(value: Any, path: Path) -> None:
    """Refuse a JSON-LD document whose meaning stands in another file or on the network."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            left += one.values()
            contexts = [one.get("@context")]
            while contexts:
                context = contexts.pop()
                contexts += context if isinstance(context, list) else []
                if isinstance(context, str):
                    raise _elsewhere("@context", context, path)
            if "@import" in one:
                raise _elsewhere("@import", one["@import"], path)


def _elsewhere(key: str, value: object, path: Path) -> BadInput:
    return BadInput(
        f"{path}: its {key} {str(value)[:160]!r} stands elsewhere, and nothing but the file is "
        'opened; write the context into it, such as "@context": {"@vocab": "https://schema.org/"}'
    )


def _refuse_document_type(raw: bytes, path: Path) -> None:
    """Refuse XML that declares a document type, and with it entities, or that is broken."""
    parser = xml.parsers.expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise BadInput(
            f"{path}, line {parser.CurrentLineNumber}: a <!DOCTYPE> may name other files and grow "
            "without bound; write its entities out, as `xmllint --noent --dropdtd` does"
        )

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)
    except (xml.parsers.expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, BadInput):
            raise
        at = getattr(error, "lineno", parser.CurrentLineNumber)
        said = str(error).partition(": line")[0]
        raise BadInput(f"{path}, line {at}: {said}") from error


def _broken_line(raw: bytes, form: str, error: BaseException, n_read: int) -> str:
    """Return which line of a file is broken, where it can be told."""
    given = getattr(error, "lines", None)
    if isinstance(given, int):
        return f", line {given + 1}"
    if told := re.match(r"\S*:(\d+):\d+: ", str(error)):
        return f", line {told.group(1)}"
    if form != "nt":
        return ""
    lines = enumerate(re.split(rb"\r\n|\n|\r", raw), 1)
    full = (n for n, line in lines if line.strip() and not line.lstrip().startswith(b"#"))
    return next((f", line {n}" for k, n in enumerate(full) if k == n_read), "")
