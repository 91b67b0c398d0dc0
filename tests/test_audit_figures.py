"""Figures of an audit: drawn once for pages and papers, from tables alone, the same bytes twice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from unteach import audit, unlearn
from unteach.audit import certificate_table, relearn_table
from unteach.audit.figures import FIGURES
from unteach.audit.roc import operating_curve
from unteach.core import (
    BadInput,
    Exact,
    Forgotten,
    NeedsReference,
    Request,
    Rows,
    Stopwatch,
    Table,
    stream,
)
from unteach.data import load
from unteach.models import MLP
from unteach.report import Bubbles, Card, Curves, Histograms, Intervals, Page, Plate, Waterfall
from unteach.report._drawing.picture import NARROW, WIDE
from unteach.report._drawing.scale import Scale, spanning
from unteach.report.paper.paint import colours, look

LEARNER = MLP(hidden=(16,), epochs=25, lr=0.05)
NAMES = (
    "forest",
    "waterfall",
    "raincloud",
    "histograms",
    "roc",
    "relearn",
    "budget",
    "front",
    "card",
)


@dataclass(frozen=True)
class Half:
    """Learns again from what is left and from half of what was to go."""

    learner: Any

    def forget(self, model, records, request, *, seed):
        kept = records.without(request.targets(records)[::2])
        with Stopwatch() as watch:
            after = self.learner.learn(kept, seed=seed)
        return Forgotten(after, Exact(), watch.cost(rows_read=len(kept)))


@pytest.fixture(scope="module")
def bare():
    """A real audit: digits, of which 30 are mislabelled and forgotten."""
    rows = load("digits")
    x, y = np.asarray(rows.x) / 16, np.asarray(rows.y).copy()
    order = stream(0, "digits").permutation(len(x))
    y[order[:30]] = (y[order[:30]] + 1) % 10
    rows = Rows(rows.ids, {"x": x, "y": y})
    return audit.run(
        {"half": Half(LEARNER), "again": unlearn.Retrain(LEARNER)},
        LEARNER,
        rows.take(order[:220]),
        forget=rows.ids[order[:30]],
        holdout=rows.take(order[220:320]),
        tier="quick",
        permutations=39,
    )


@pytest.fixture(scope="module")
def report(bare):
    """The same with relearning curves and a certificate's ledger beside it."""
    rng = stream(0, "relearning")
    steps = np.arange(9)

    def curves(speed):
        return np.clip(1 - np.exp(-speed * steps) + 0.02 * rng.normal(size=(8, 9)), 0, 1)

    rows, method = load("breast_cancer"), unlearn.Newton(sigma=5.0)
    model = method.prepare().learn(rows, seed=0)
    for k in range(4):
        request = Request(ids=rows.ids[:3])
        model = method.forget(model, rows, request, seed=k).model
        rows = request.applied_to(rows)
    again = relearn_table({"original": curves(0.6), "half": curves(0.4)}, curves(0.1))
    return replace(bare, more=(again, certificate_table(model.ledger_)))


def elements(plate, columns=None):
    """The elements of a picture: (name, classes with those of its groups, attributes, text)."""
    found = []

    def walk(parent, above):
        for child in parent:
            kinds = (*above, *child.get("class", "").split())
            if child.tag == "g":
                walk(child, kinds)
            elif child.tag != "title":
                found.append((child.tag, kinds, child.attrib, "".join(child.itertext())))

    picture = plate.picture(columns)
    walk(ElementTree.fromstring("<svg>" + "".join(picture.parts) + "</svg>"), ())
    return found


def count(plate, kind):
    return sum(kind in kinds for _, kinds, _, _ in elements(plate))


# ---- every figure, from a real audit


def test_the_audit_is_sound(report):
    assert report.valid, report.validity
    assert report["half"].judgement.kind == "distinguishable"
    assert set(FIGURES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_saved_with_the_same_bytes_twice(report, name, tmp_path):
    plate = report.figure(name)
    for ending, head in (("pdf", b"%PDF-"), ("svg", b"<?xml"), ("png", b"\x89PNG")):
        one = plate.save(tmp_path / f"one.{ending}", dpi=60).read_bytes()
        assert one.startswith(head)
        if ending != "png":
            assert one == report.figure(name).save(tmp_path / f"two.{ending}").read_bytes()
        assert not re.search(rb"CreationDate|dc:date|20\d\d-\d\d-\d\dT", one)
    pdf = (tmp_path / "one.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf  # outlines of letters are in the file
    assert b"/Subtype /Image" not in pdf  # lines, not pixels
    assert plate.caption.endswith(".") and "{" not in plate.caption


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_no_text_lies_on_another_or_outside(report, name, columns):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = report.figure(name).drawn(columns=columns)
    drawer = FigureCanvasAgg(figure).get_renderer()
    texts = [t for t in figure.axes[0].texts if t.get_text().strip()]
    boxes = [t.get_window_extent(drawer) for t in texts]
    whole = figure.bbox
    for text, box in zip(texts, boxes, strict=True):
        assert box.x0 > whole.x0 - 2 and box.x1 < whole.x1 + 2, text.get_text()
        assert box.y0 > whole.y0 - 2 and box.y1 < whole.y1 + 2, text.get_text()
    for (a, one), (b, two) in combinations(zip(texts, boxes, strict=True), 2):
        wide = min(one.x1, two.x1) - max(one.x0, two.x0)
        high = min(one.y1, two.y1) - max(one.y0, two.y0)
        assert wide < 1 or high < 2, (a.get_text(), b.get_text())


def test_the_page_shows_what_was_measured_and_says_what_was_not(bare, report, tmp_path):
    page = report.save(tmp_path / "page.html").read_text()
    assert all(
        f'class="{k} wide"' in page
        for k in ("cards", "intervals", "raincloud", "histograms", "waterfall", "curves", "bubbles")
    )
    assert "What is not drawn" not in page
    less = bare.save(tmp_path / "less.html").read_text()
    assert "What is not drawn" in less and "figure relearn: no model was taught again" in less


# ---- marks, limits and bands stand where the tables say


def test_forest_has_a_row_a_method_over_the_band(report):
    table = {t.name: t for t in report.tables}["areas"]
    plate = report.figure("forest")
    assert count(plate, "whisker") == len(table) == 4 * len(set(table["stratum"]))
    assert count(plate, "null") == len(table) and count(plate, "margin-line") == 2
    bands = [float(a["x"]) for n, k, a, _ in elements(plate) if "null" in k]
    middle = next(float(a["x1"]) for n, k, a, _ in elements(plate) if "zero" in k)
    margins = [float(a["x1"]) for n, k, a, _ in elements(plate) if "margin-line" in k]
    assert margins[0] < middle < margins[1] and max(bands) < middle
    assert sum(margins) / 2 == pytest.approx(middle, abs=0.02)
    # retraining stands first and doing nothing last, which is the farthest from chance
    assert (table["method"][0], table["method"][-1]) == ("retrain", "do nothing")
    nulls = report["retrain"].tests["all"].null
    assert (table["null low"][0], table["null high"][0]) == pytest.approx(nulls)


def test_waterfall_falls_under_its_limit(report):
    plate = report.figure("waterfall")
    assert count(plate, "shade") == 4 * 30 and count(plate, "limit") == 4
    found = elements(plate)
    tops = [float(a["y"]) for n, k, a, _ in found if n == "rect" and "shade" in k]
    limits = [float(a["y1"]) for n, k, a, _ in found if "limit" in k]
    assert tops and min(tops) >= min(limits) - 0.01
    first = {t.name: t for t in report.tables}["epsilon by record"].where(method="do nothing")
    above = sum(e > 0 for e in first["epsilon"])
    across = [a for n, k, a, _ in found if n == "rect" and "shade" in k and float(a["y"]) < 214]
    heights = [float(a["height"]) for a in across[:above]]
    assert above and heights == sorted(heights, reverse=True)


def test_raincloud_marks_0_and_1_and_every_record(report):
    plate = report.figure("raincloud")
    drops = count(plate, "drop")
    measured = sum(m.fractions.measurable for m in report.methods.values())
    assert drops == measured and count(plate, "zero") == 2
    words = [t for *_, t in elements(plate)]
    assert {"as retrained", "nothing forgotten"} <= set(words)


def test_histograms_hold_every_model(report):
    table = {t.name: t for t in report.tables}["margins of four records"].where(method="half")
    assert len(set(table["id"])) == 4 and set(table["id"]) <= set(report.base.named().tolist())
    for record in set(table["id"]):
        for arm in ("original", "retrained", "unlearned"):
            shares = table.where(id=record, arm=arm)["share"]
            assert sum(shares) == pytest.approx(1.0)
    plate = report.figure("histograms", method="again")
    assert "again" in plate.block.title and count(plate, "step") == 12
    assert count(plate, "heavy") == 4


def test_operating_curve_is_the_areas_and_its_band_holds_it(report):
    rng = stream(1, "roc")
    u, r = rng.normal(1.5, 1, (32, 20)), rng.normal(0, 1, (32, 20))
    false, hit, low, high = operating_curve(u, r)
    assert np.all(low <= hit) and np.all(hit <= high) and np.all(np.diff(hit) >= -1e-12)
    area = float(np.trapezoid(hit, false)) + false[0] * hit[0] / 2
    assert area == pytest.approx(audit.ulira(u, r, permutations=19).area.value, abs=0.02)
    even = operating_curve(rng.normal(0, 1, (32, 20)), r)
    assert np.all(even[2] <= even[0] * 1.6 + 0.02)  # chance lies within the band
    plate = report.figure("roc")
    assert plate.block.log == ("x", "y") and count(plate, "band") == 4
    assert count(plate, "reference") == 1


def test_relearning_is_drawn_over_the_retrained_band(report):
    plate = report.figure("relearn")
    assert count(plate, "null") == 1 and {"half", "original"} == set(plate.tables[0]["models"])
    assert plate.tables[0]["null high"][5] < plate.tables[0].where(models="half")["low"][5]
    with pytest.raises(BadInput, match="same steps"):
        relearn_table({"a": np.zeros((3, 4))}, np.zeros((3, 5)))


def test_the_residual_lies_under_the_bound_and_the_bound_under_the_budget(report):
    plate = report.figure("budget")
    table = plate.tables[0]
    spent = table.where(account="bound, added up")
    exact = table.where(account="residual as it is")
    assert all(a >= b for a, b in zip(spent["value"], exact["value"], strict=True))
    assert spent["value"] == sorted(spent["value"]) and spent["value"][-1] < spent["budget"][0]
    assert spent["forgotten"] == [0, 3, 6, 9, 12]
    level = next(float(a["y1"]) for n, k, a, _ in elements(plate) if "reference" in k)
    marks = [float(a["cy"]) for n, k, a, _ in elements(plate) if n == "circle"]
    assert level < min(marks)


def test_front_shows_cost_against_what_is_left(report):
    plate = report.figure("front")
    table = plate.tables[0]
    bill = next(t for t in report.bills if t.name == "costs").where(method="again")
    assert table.where(method="again")["share"] == pytest.approx(bill["seconds / retrain"])
    assert count(plate, "bubble") == 2 and count(plate, "null") == 1
    untimed = replace(report, methods={n: replace(m, costs=()) for n, m in report.methods.items()})
    with pytest.raises(NeedsReference, match="figure front"):
        untimed.figure("front")


def test_cards_say_with_what_and_what_not(report):
    table = report.figure("card").tables[0]
    assert table["method"] == ["again", "half"] and table["verdict"][1] == "distinguishable"
    assert "16 models retrained without the 30 records" in table["compared with"][0]
    assert "adaptive" in table["not tested"][0] and "relearning" not in table["not tested"][0]
    assert not any(v == "forgotten" for v in table["verdict"])


# ---- refusals


def test_unknown_and_missing_figures_refuse_by_name(bare, report, tmp_path):
    with pytest.raises(BadInput, match=r"no figure 'scatter'.*forest.*card"):
        report.figure("scatter")
    for name in ("relearn", "budget"):
        with pytest.raises(NeedsReference, match=f"figure {name}"):
            bare.figure(name)
    with pytest.raises(BadInput, match="no method"):
        report.figure("histograms", method="other")
    with pytest.raises(BadInput, match="only histograms"):
        report.figure("roc", method="half")
    plate = report.figure("forest")
    for wrong in (
        {"path": "f.eps"},
        {"path": "f.pdf", "columns": 3},
        {"path": "f.pdf", "font": "comic"},
        {"path": "f.png", "dpi": 1},
    ):
        with pytest.raises(BadInput):
            plate.save(tmp_path / wrong.pop("path"), **wrong)
    assert list(tmp_path.iterdir()) == []
    few = replace(bare.base, original=bare.base.original[:2], retrained=bare.base.retrained[:2])
    screen = audit.audit_arms(few, {"half": bare["half"].arms.unlearned[:2]})
    with pytest.raises(NeedsReference, match="figure forest: so few models"):
        screen.figure("forest")


@pytest.mark.parametrize(
    "block",
    [
        Intervals("t", "a", "b", "b", "nowhere"),
        Intervals("t", "a", "b", "b", "b", kind="a"),
        Waterfall("t", "b", "b", "b"),
        Card("t", "a", "a", ("b",), {"x": "ink"}),
        Bubbles("t", "a", "b", "b", "b", "b", "b"),
        Curves("t", "b", "nowhere"),
        Histograms("t", "a", "a", ("x",), (0,)),
    ],
)
def test_blocks_refuse_what_they_cannot_draw(block):
    table = Table("t", {"a": ["x", "y"], "b": [0.5, -1.0]})
    with pytest.raises(BadInput):
        Page("t", "", (), (block,), "", "", {}, tables=(table,))


def test_the_digest_of_a_record_is_not_called_a_record_again():
    drawn = Histograms("t", "a", "a", ("x",), (0,), heading="record")
    assert drawn._head("record-77b") == "record-77b" and drawn._head(8) == "record 8"


# ---- pages and papers look alike


def test_papers_read_the_colours_of_the_pages():
    assert (
        look((("svg", ("chart",)), ("g", ("s1",)), ("path", ("line",))))["stroke"]
        == (colours()["--s1"])
    )
    assert look((("svg", ("chart",)), ("text", ("tick", "end"))))["text-anchor"] == "end"
    assert colours()["--paper"] == "#ffffff"


def test_a_picture_holds_only_what_a_paper_can_paint(report, tmp_path):
    """Every class in a picture is one that the style sheet knows, at every width."""
    from unteach.report.page.page_html import styles

    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", styles())) | {"step", "note"}
    for name in NAMES:
        plate = report.figure(name)
        for width in (NARROW, WIDE):
            picture = plate.block.picture(plate.page, width)
            markup = "".join(picture.parts) + "".join(mark for mark, _ in picture.key)
            used = {c for found in re.findall(r'class="([^"]*)"', markup) for c in found.split()}
            assert used <= known, (name, used - known)
            assert picture.spoken and picture.width == width


def test_logarithmic_axes():
    scale = spanning([0.001, 0.0, 10.0], pad=0.0, log=True)
    assert (scale.low, scale.high) == pytest.approx((0.001, 10.0))
    assert scale.ticks(4) == [0.001, 0.01, 0.1, 1.0, 10.0]
    assert Scale(0.2, 0.7, log=True).ticks(4) == [0.2, 0.5]
    assert len(Scale(1.7, 1.95, log=True).ticks(4)) > 1  # no axis stays without values
    table = Table("t", {"x": [0.0, 0.1, 1.0], "y": [0.5, 0.0, 0.2]})
    plate = Plate(Curves("t", "x", "y", log=("x", "y")), (table,))
    assert count(plate, "mark") == 1  # what is not above 0 has no place
    table = Table("t", {"x": [1, 2], "y": [0.5, 0.4], "low": [0.01, 0.0], "high": [1.0, 1.0]})
    block = Curves("t", "x", "y", "low", "high", log=("y",))
    ends = next(a["d"] for n, k, a, _ in elements(Plate(block, (table,))) if "band" in k)
    corners = np.array(ends.strip("Mz").split(), float).reshape(-1, 2)
    assert corners[2, 1] == corners[3, 1]  # a low of 0 goes down as far
    with pytest.raises(BadInput, match="log names axes"):
        Curves("t", "x", "y", log=("z",))
