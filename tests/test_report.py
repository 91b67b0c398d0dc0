"""The laws of pages: nothing escapes, nothing is fetched, nothing is lost, same bytes twice."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from sample_pages import (
    boundary_tables,
    hostile_page,
    margin_page,
    reading,
    signed_page,
    small_page,
)
from unteach.core import BadInput, Reading, Table
from unteach.report import (
    Boundary,
    Curves,
    Divided,
    Entry,
    Finding,
    Forest,
    Page,
    Prose,
    ReadingsBlock,
    Section,
    TableBlock,
    page_json,
    print_page,
    write_index,
    write_page,
)
from unteach.report._drawing.labels import Track, place
from unteach.report._drawing.region_panel import regions
from unteach.report._drawing.scale import Scale, spanning, written
from unteach.report.page.markup import clean, inline, paragraphs, tag
from unteach.report.page.number_format import number, places, with_interval

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Outline(HTMLParser):
    """Checks that every element is closed in order, and collects what a page holds."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_endtag(self, name):
        assert self.open, f"</{name}> closes nothing"
        assert self.open.pop() == name

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


def read(path):
    outline = Outline()
    outline.feed(path.read_text(encoding="utf-8"))
    outline.close()
    assert outline.open == []
    return outline


def page_with(*blocks, readings=(), tables=(), answer=()):
    return Page("t", "q", answer, blocks, "c", "p", {}, readings, tables)


@pytest.fixture(scope="module")
def margin():
    return margin_page()


@pytest.fixture(scope="module")
def written_page(margin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return write_page(margin, folder / "page.html", also_json=folder / "page.json")


@pytest.fixture(params=["margin", "small", "hostile", "index"])
def any_file(request, margin, written_page, tmp_path):
    if request.param == "margin":
        return written_page
    if request.param == "index":
        entries = [Entry("tail", small_page()), Entry("evil", hostile_page(), "evil page.html")]
        return write_index(entries, tmp_path / "i.html", title="tour", question="q", command="c")
    page = {"small": small_page, "hostile": hostile_page}[request.param]()
    return write_page(page, tmp_path / "page.html")


def test_a_page_is_well_formed_and_its_names_are_unique(any_file):
    elements = read(any_file).elements
    names = [a["id"] for _, a in elements if "id" in a]
    assert len(names) == len(set(names))
    links = [a["href"] for n, a in elements if n in ("a", "use") and a["href"].startswith("#")]
    assert {link[1:] for link in links} <= set(names)
    labels = [a[k] for _, a in elements for k in ("aria-labelledby", "for") if k in a]
    assert set(labels) <= set(names)


def test_a_page_needs_no_network_and_may_not_use_one(any_file):
    elements = read(any_file).elements
    for _, attributes in elements:
        for key in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(key, "#")
            assert value.startswith(("#", "data:text/csv", "evil%20page.html")), (key, value[:60])
        assert not any(key.startswith("on") or key == "style" for key in attributes)
    policy = next(a["content"] for n, a in elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    text = any_file.read_text()
    assert "@import" not in text and "url(" not in text
    assert not re.search(r"https?://", re.sub(r"base64,[\w+/=]*", "", text))


def test_a_policy_allows_exactly_the_style_and_the_script_of_the_page(written_page):
    import base64
    import hashlib

    text = written_page.read_text()
    for name in ("style", "script"):
        held = re.findall(f"<{name}>(.*?)</{name}>", text, flags=re.DOTALL)
        assert len(held) == 1
        digest = base64.b64encode(hashlib.sha256(held[0].encode()).digest()).decode()
        # quotes inside the attribute are escaped
        assert f"{name}-src &#x27;sha256-{digest}&#x27;" in text


def test_hostile_text_stays_text(tmp_path):
    path = write_page(hostile_page(), tmp_path / "evil.html", also_json=tmp_path / "evil.json")
    outline = read(path)
    kinds = [name for name, _ in outline.elements]
    assert kinds.count("script") == 1 and "img" not in kinds
    assert "alert(1)" in "".join(outline.text)
    assert "\x1b" not in path.read_text()


def test_every_reading_is_on_the_page_and_in_the_json(margin, written_page):
    text = " ".join("".join(read(written_page).text).split())
    held = json.loads(written_page.with_name("page.json").read_text())
    assert [Reading.from_json(r) for r in held["readings"]] == list(margin.readings)
    for r in margin.readings:
        assert r.name in text
        value, ends = with_interval(r).split(" ", 1)
        assert " ".join(value.split()) in text and " ".join(ends.split()) in text
        assert r.table is None or r.table in text
    assert [Table.from_json(t).name for t in held["tables"]] == [t.name for t in margin.tables]
    assert held["command"] == margin.command and margin.command in text
    assert "41.2" in text  # provenance, nested


def test_the_answer_states_its_numbers_with_their_intervals(margin, written_page):
    held = json.loads(written_page.with_name("page.json").read_text())
    assert "costs 0.090 [0.074, 0.104] of accuracy" in held["answer"][0]["text"]
    assert held["answer"][0]["verdict"] == "holds"
    text = " ".join("".join(read(written_page).text).split())
    assert "costs 0.090 [0.074, 0.104] of accuracy" in text
    for words in ("Holds", "Depends", "Does not hold", "Measured"):
        assert words in text


def test_the_same_page_gives_the_same_bytes(margin, written_page, tmp_path):
    again = write_page(margin_page(), tmp_path / "b.html", also_json=tmp_path / "b.json")
    assert again.read_bytes() == written_page.read_bytes()
    one, two = (p.with_suffix(".json") for p in (again, written_page))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("block", "named"),
    [
        (Forest(("gone",)), "gone"),
        (ReadingsBlock(("gone",)), "gone"),
        (Prose("it is {gone}"), "gone"),
        (Section("s", "it is **{gone}**"), "gone"),
        (TableBlock("gone"), "gone"),
        (TableBlock("t", ("gone",)), "gone"),
        (TableBlock("t", where={"gone": 1}), "gone"),
        (TableBlock("t", caption="{gone}"), "gone"),
        (Curves("gone", "x", "y"), "gone"),
        (Curves("t", "x", "gone"), "gone"),
        (Curves("t", "x", "y", series="gone"), "gone"),
        (Curves("t", "x", "y", reference="gone"), "gone"),
        (Curves("t", "x", "y", band=("x", "gone")), "gone"),
        (Curves("t", "x", "y", where={"x": 99}), "99"),
        (Boundary("gone", "t"), "gone"),
        (Boundary("t", "t"), "nx"),
    ],
)
def test_what_a_page_lacks_is_named(block, named):
    table = Table("t", {"x": [0.0, 1.0], "y": [1.0, 2.0]})
    with pytest.raises(BadInput, match=named):
        page_with(block, tables=(table,))


def test_names_on_a_page_are_unique_and_findings_are_checked():
    r, t = reading("a", 0.5, 0.1), Table("t", {"x": [1]})
    with pytest.raises(BadInput, match="two readings called 'a'"):
        page_with(readings=(r, r))
    with pytest.raises(BadInput, match="two tables called 't'"):
        page_with(tables=(t, t))
    with pytest.raises(BadInput, match="no reading 'b'"):
        page_with(readings=(r,), answer=(Finding("x", ("b",)),))
    with pytest.raises(BadInput, match="no reading 'b'"):
        page_with(readings=(r,), answer=(Finding("{b}"),))
    with pytest.raises(BadInput, match="verdict is one of"):
        Finding("x", verdict="maybe")
    with pytest.raises(BadInput, match="one string"):
        Finding("x", "name")
    with pytest.raises(BadInput, match="label"):
        Forest(("a",), labels={"b": "c"})
    with pytest.raises(BadInput, match="both low and high"):
        Curves("t", "x", "y", low="a")


def test_missing_values_are_gaps_and_never_bridged(tmp_path):
    table = Table("t", {"x": [0, 1, 2, 3, 4], "y": [1.0, 2.0, None, 2.0, float("nan")]})
    path = write_page(page_with(Curves("t", "x", "y"), tables=(table,)), tmp_path / "p.html")
    elements = read(path).elements
    lines = [a["d"] for n, a in elements if n == "path" and a.get("class") == "line"]
    large = lines[: len(lines) // 2]  # the second half is the drawing for telephones
    assert [len(d.split()) // 2 + len(d.split()) % 2 for d in large] == [2, 1]
    marks = [a for n, a in elements if n == "g" and a.get("class") == "mark"]
    assert len(marks) == 2 * 3


def test_whole_numbers_have_whole_ticks(tmp_path):
    path = write_page(small_page(), tmp_path / "p.html")
    text = read(path).text
    assert "1.25" not in text and {"1", "2", "3", "4"} <= set(text)


def boundary_page(**more):
    surface, points = boundary_tables(frames=5, side=15, n=12)
    classes = ("upper moon", "lower moon")
    block = Boundary("surface", "points", classes=classes, notes=("accuracy",), **more)
    return page_with(block, tables=(surface, points))


def test_a_boundary_shows_first_middle_and_last_frame_without_a_script(tmp_path):
    path = write_page(boundary_page(), tmp_path / "p.html")
    outline = read(path)
    frames = [
        a
        for _, a in outline.elements
        if a.get("class", "").startswith("frame ") or a.get("class") == "frame"
    ]
    assert [a["class"] for a in frames] == [
        "frame key-frame",
        "frame",
        "frame key-frame",
        "frame",
        "frame key-frame",
    ]
    maps = [a for n, a in outline.elements if n == "svg" and a.get("class") == "map"]
    assert len(maps) == 5 * 4 and all(a["role"] == "img" and a["aria-label"] for a in maps)
    controls = next(a for _, a in outline.elements if a.get("class") == "controls")
    assert "hidden" in controls
    assert "one class left: no model" in outline.text


def test_every_point_is_drawn_once_in_every_frame(tmp_path):
    path = write_page(boundary_page(where={"kernel": "rbf"}), tmp_path / "p.html")
    text = path.read_text()
    still = re.search(r'<g id="[^"]*-still">(.*?)</g>', text).group(1)
    for svg in re.findall(r'<svg viewBox="[^"]*" role="img" class="map".*?</svg>', text):
        dots = re.findall(r'd="([^"]*)" class="dot', still + svg)
        crosses = re.findall(r'd="([^"]*)" class="gone', svg)
        drawn = sum(d.count("M") for d in dots) + sum(d.count("M") for d in crosses)
        assert drawn == 24


def doubled(table):
    """Return a table twice over, once for each of two ways to choose what is forgotten."""
    columns = {name: [*values, *values] for name, values in table.columns.items()}
    who = ["support vectors"] * len(table) + ["other points"] * len(table)
    return Table(table.name, {"who": who, **columns}, table.units)


def test_a_boundary_has_rows_of_panels(tmp_path):
    tables = tuple(map(doubled, boundary_tables(frames=3, side=9, n=5)))
    page = page_with(
        Boundary("surface", "points", row="who", labels={"other points": "Others"}), tables=tables
    )
    outline = read(write_page(page, tmp_path / "p.html"))
    maps = [a for _, a in outline.elements if a.get("class") == "map"]
    assert len(maps) == 3 * 2 * 4
    assert outline.text.count("support vectors") == outline.text.count("Others") == 3


def test_a_boundary_refuses_states_and_classes_it_cannot_draw():
    surface, points = boundary_tables(frames=2, side=9, n=5)
    states = ["gone"] * len(points)
    with pytest.raises(BadInput, match="state is one of"):
        page_with(
            Boundary("surface", "points"),
            tables=(surface, Table("points", {**points.columns, "state": states})),
        )
    with pytest.raises(BadInput, match="two classes"):
        page_with(Boundary("surface", "points", classes=("a", "b")), tables=(surface, points))


def test_the_outline_of_a_region_is_where_the_grid_crosses_the_level():
    nx, ny = 41, 21
    x, y = np.meshgrid(np.linspace(-1, 1, nx), np.linspace(-1, 1, ny))
    (right,) = regions(x.ravel(), nx, ny, [0.0], 400, 200)
    assert right.startswith("M200") and right.count("M") == 1  # a vertical line at the middle
    (disc,) = regions((0.5 - np.hypot(x, y)).ravel(), nx, ny, [0.0], 400, 200)
    steps = re.findall(r"[Mhvl][^Mhvlz]*", disc)
    at, corners = np.zeros(2), []
    for step in steps:
        numbers = [int(n) for n in re.findall(r"-?\d+", step)]
        move = {"h": [*numbers, 0], "v": [0, *numbers]}.get(step[0], numbers)
        at = np.array(move) if step[0] == "M" else at + move
        corners.append(at.copy())
    radius = np.hypot((np.array(corners)[:, 0] - 200) / 200, (np.array(corners)[:, 1] - 100) / 100)
    assert len(corners) > 10 and np.abs(radius - 0.5).max() < 0.03
    assert regions(np.zeros(4), 2, 2, [1.0], 10, 10) == [""]
    with pytest.raises(BadInput, match="finite"):
        regions([np.nan] * 4, 2, 2, [0.0], 10, 10)


def test_labels_cover_no_other_line_or_there_are_none():
    def flat(y):
        return Track(*[[[(0.0, y), (200.0, y)]]] * 3)

    apart = place(
        {"a": "first", "b": "second"}, {"a": flat(20.0), "b": flat(90.0)}, box=(0, 0, 200, 110)
    )
    assert [one.name for one in apart] == ["a", "b"]
    assert (
        place(
            {"a": "first", "b": "second"}, {"a": flat(50.0), "b": flat(51.0)}, box=(0, 45, 200, 56)
        )
        == []
    )


def test_numbers_are_written_as_their_intervals_allow():
    assert places(0.0, 1.0) == 1 and places(0.1, 0.1) == 3
    assert number(-0.0001, 2) == "0.00" and number(float("inf")) == "∞"
    assert number(1234567.0, 0) == "1\u202f234\u202f567"
    assert with_interval(reading("r", 0.5, 0.2, unit="share")) == "50\u202f% [30, 68\u202f%]"
    exact = Reading("r", 7.0, 7.0, 7.0, 1, "none", (0,), "bytes", "lower")
    assert with_interval(exact) == "7 [7, 7]"
    alone = Reading("r", 7.0, 7.0, 7.0, 1, "seeds", (0,), "bytes", "lower")
    assert with_interval(alone) == "7 (no interval)"
    assert Scale(0, 1).ticks(2) == [0.0, 0.5, 1.0]
    assert Scale(0.5, 3.5).ticks(9, whole=True) == [1.0, 2.0, 3.0]
    assert written([0.0, 2e-6], "")[1].startswith("2.0×10")
    assert spanning([3.0, 3.0]).holds(3.0) and spanning([]).holds(0.5)


def test_markup_is_safe_and_small():
    assert inline("a **b `c`** <d>") == "a <strong>b <code>c</code></strong> &lt;d&gt;"
    assert paragraphs("a\nb\n\n\nc") == "<p>a b</p><p>c</p>"
    assert tag("a", href='"x"', hidden=False) == '<a href="&quot;x&quot;"></a>'
    assert clean("a\u202eb\x07\n") == "a\ufffdb\ufffd\n"
    page = page_with(readings=(reading("d", 0.5, 0.1),))
    assert page.say("{{d}} is **{d}**") == "{d} is 0.50 [0.40, 0.59]"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_page_prints_at_every_width(margin, width, tmp_path):
    import io

    from rich.console import Console

    for page in (margin, small_page(), hostile_page()):
        out = io.StringIO()
        console = Console(file=out, width=width, color_system="truecolor", force_terminal=True)
        print_page(page, console, path=tmp_path / "page.html")
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
        assert "\x1b" not in plain
        lines = plain.splitlines()
        assert max(map(len, lines)) <= width
        flat = "".join(plain.split())
        for finding in page.answer:
            assert "".join(page.say(finding.text).split())[:12] in flat
        assert "".join(str(tmp_path / "page.html").split()) in flat
        assert "●" in plain


def test_a_terminal_shows_no_more_than_it_is_asked_for(margin):
    import io

    from rich.console import Console

    out = io.StringIO()
    print_page(margin, Console(file=out, width=100), limit=2)
    hidden = len(margin.readings) - 2
    assert out.getvalue().count("●") == 3  # two bars and the key
    assert f"and {hidden} more readings in the report" in out.getvalue()
    with pytest.raises(BadInput, match="limit"):
        print_page(margin, Console(file=out), limit=0)


def test_an_index_holds_every_study_and_every_reading(margin, tmp_path):
    small = small_page()
    entries = [Entry("margin", margin, "margin/index.html", margin.blocks[1]), Entry("tail", small)]
    path = write_index(
        entries,
        tmp_path / "new" / "index.html",
        title="A tour",
        question="Five?",
        also_json=tmp_path / "new" / "tour.json",
        provenance={"unteach": "0.1.0"},
    )
    outline = read(path)
    text = " ".join("".join(outline.text).split())
    assert margin.title in text and small.title in text and "A tour" in text
    links = [a["href"] for n, a in outline.elements if n == "a"]
    assert "margin/index.html" in links and "#tail" in links
    held = json.loads((tmp_path / "new" / "tour.json").read_text())
    assert held["studies"] == json.loads(
        json.dumps({"margin": page_json(margin), "tail": page_json(small)})
    )


def test_an_index_refuses_what_it_cannot_link(margin, tmp_path):
    for link in ("javascript:alert(1)", "/etc/passwd", "\\\\host"):
        with pytest.raises(BadInput, match="relative"):
            Entry("a", margin, link)
    with pytest.raises(BadInput, match="letters"):
        Entry("a b", margin)
    with pytest.raises(BadInput, match="differ"):
        write_index([], tmp_path / "i.html", title="t", question="q")
    with pytest.raises(BadInput, match="differ"):
        write_index([Entry("a", margin)] * 2, tmp_path / "i.html", title="t", question="q")
    with pytest.raises(BadInput, match="no reading"):
        Entry("a", small_page(), None, Forest(("gone",)))


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="cannot make the folder"):
        write_page(small_page(), tmp_path / "file" / "page.html")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_download_is_the_table_and_runs_nothing_in_a_spreadsheet(tmp_path):
    import base64
    import csv

    path = write_page(hostile_page(), tmp_path / "p.html")
    link = next(a for n, a in read(path).elements if n == "a" and "download" in a)
    held = base64.b64decode(link["href"].split("base64,")[1]).decode()
    rows = list(csv.reader(held.splitlines()))
    assert rows[1] == ["'=1+1", "0.0", "0.0"] and len(rows) == 3
    assert re.fullmatch(r"[\w.-]+\.csv", link["download"])


def test_a_shown_table_says_when_rows_are_left_out(tmp_path):
    table = Table(
        "t",
        {"share": [0.125, 0.5], "n": [3, 40000], "ok": [True, None]},
        {"share": "share"},
        caption="All of it.",
    )
    page = page_with(
        TableBlock("t", digits=3, limit=1), TableBlock("t", digits={"share": 0}), tables=(table,)
    )
    text = "".join(read(write_page(page, tmp_path / "p.html")).text)
    assert "The first 1 of 2 rows." in text and "12.5\u202f%" in text
    assert "yes" in text and "40\u202f000" in text and "–" in text


def bars_of(path):
    return [a["class"] for _, a in read(path).elements if "class" in a]


def test_a_difference_is_drawn_against_zero_and_a_level_is_not(tmp_path):
    base = {"unit_of_replication": "seeds", "n": 5}
    for name, value, better, signed in (
        ("fall", -0.3, "higher", True),
        ("gap", 0.3, "zero", True),
        ("told", 0.3, "none", True),
        ("level", 0.9, "higher", False),
    ):
        page = page_with(
            Forest((name,)), readings=(reading(name, value, 0.01, better=better, **base),)
        )
        assert ("zero" in bars_of(write_page(page, tmp_path / "p.html"))) is signed


@pytest.mark.parametrize("low", [-1e-3, -0.0071, -12345.0, 0.0, 1e-6, 0.4])
@pytest.mark.parametrize("width", [1e-5, 0.01, 0.9, 3e4])
@pytest.mark.parametrize("unit", ["accuracy", "share"])
def test_labels_of_an_axis_do_not_touch(low, width, unit):
    from unteach.report._drawing.scale import spanning
    from unteach.report.figures.bars import _apart, axis

    scale = spanning([low, low + width], start=0.0, end=100.0)
    found = re.findall(
        r'<text x="([\d.]+)%"[^>]*class="(tick[ a-z]*)">([^<]*)<', str(axis(scale, unit))
    )
    for kinds, room in ((("tick",), 120.0), (("tick", "tick roomy"), 280.0)):
        kept = [(float(x), text) for x, kind, text in found if kind in kinds]
        assert kept and _apart([x for x, _ in kept], [t for _, t in kept], room)


def test_a_null_of_one_value_is_a_tick_in_the_bars_and_in_the_key(tmp_path):
    kinds = bars_of(write_page(signed_page(), tmp_path / "p.html"))
    assert "null" not in kinds and kinds.count("null-tick") > 4


def test_every_verdict_has_a_word_and_a_mark_everywhere(tmp_path):
    import io

    from rich.console import Console

    from unteach.report.page.page import VERDICTS

    page = page_with(answer=tuple(Finding(f"{v}.", (), v) for v in VERDICTS))
    outline = read(write_page(page, tmp_path / "p.html"))
    text, out = "".join(outline.text), io.StringIO()
    print_page(page, Console(file=out, width=80))
    assert all(word in text and word.lower() in out.getvalue() for word in VERDICTS.values())
    assert "Cannot tell" in text and "badge unknown" in bars_of(tmp_path / "p.html")


def test_small_numbers_and_captions_of_tables(tmp_path):
    outline = read(write_page(signed_page(), tmp_path / "p.html"))
    text = "".join(outline.text)
    for words in ("<0.001", "0.034", "34.0\u202f%", "100\u202f%", "0.123\u202f%"):
        assert words in text
    assert "`" not in text and "caption" not in [n for n, _ in outline.elements]


def test_a_tour_of_one_study_says_once_how_it_is_repeated(tmp_path):
    page = small_page()
    path = write_index(
        [Entry("tail", page)],
        tmp_path / "i.html",
        title="t",
        question="q",
        command="unteach tour",
        provenance={"Python": "3.12"},
    )
    text = "".join(read(path).text)
    assert text.count("Repeat it") == text.count("Where this page comes from") == 1
    assert "unteach tour" in text and "0.1.0" in text and "3.12" in text
    path = write_index([Entry("tail", page)], tmp_path / "i.html", title="t", question="q")
    assert page.command in "".join(read(path).text)


def divided(tmp_path, **columns):
    table = Table("t", {"who": ["one", "two"], **columns})
    block = Divided("t", "who", tuple(columns))
    page = Page("S", "?", (), (block,), "", "", {}, (), (table,))
    outline = read(write_page(page, tmp_path / "index.html"))
    widths = [
        float(e["width"]) for n, e in outline.elements if n == "rect" and e.get("class") == "part"
    ][len(columns) :]
    return block.text(page), widths


def test_bars_are_divided_as_their_parts_are(tmp_path):
    shares, widths = divided(tmp_path, a=[0.25, 0.5], b=[0.5, 0.0])
    assert shares == "one  a 25 %, b 50 %\ntwo  a 50 %, b 0 %"
    assert len(widths) == 3  # nothing is drawn of what is nothing, or of what is left over
    assert (widths[1] + 1.5) / (widths[0] + 1.5) == pytest.approx(2, abs=0.02)
    counts, widths = divided(tmp_path, a=[1, 30], b=[3, 10])
    assert counts == "one  a 1, b 3\ntwo  a 30, b 10"
    assert widths[0] == pytest.approx(widths[3])  # each row is a whole of its own
    for wrong in ({"a": [0.7, 0.5], "b": [0.5, 0.5]}, {"a": [-1, 2], "b": [3, 4]}):
        with pytest.raises(BadInput, match="'one'"):
            divided(tmp_path, **wrong)
    with pytest.raises(BadInput, match="a hue for each part"):
        Divided("t", "who", ("a", "b"), hues=(1,))
