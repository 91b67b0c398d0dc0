"""Laws of the values that every room shares."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from unteach.core import (
    BadInput,
    Certified,
    Corrupt,
    EmptyRequest,
    Exact,
    Heuristic,
    NothingLeft,
    Reading,
    Records,
    RepeatedRecord,
    Request,
    Rows,
    Saved,
    Table,
    UnknownRecord,
    canonical,
    claim_from,
    claim_json,
    derive,
    pseudonym,
    stream,
    write_whole,
)


def rows(n=6):
    return Rows(
        np.arange(10, 10 + n),
        {"x": np.arange(2.0 * n).reshape(n, 2), "y": np.arange(n) % 2},
        np.array(["ann", "bob"] * (n // 2)),
    )


def test_rows_are_records_and_immutable():
    r = rows()
    assert isinstance(r, Records)
    for array in (r.ids, r.x, r.y, r.groups):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    with pytest.raises(AttributeError):
        r.ids = np.arange(6)


def test_ids_survive_every_selection():
    r = rows()
    assert r.select([13, 10]).ids.tolist() == [13, 10]
    assert r.without([11]).select([15]).x.tolist() == [[10.0, 11.0]]
    assert r.take(r.y == 1).ids.tolist() == [11, 13, 15]
    assert r.take([]).ids.tolist() == []


def test_columns_of_every_kind():
    r = Rows(
        np.array(["a", "b", "c"]),
        {"x": sparse.csr_array(np.eye(3)), "y": np.arange(3), "tokens": [[1], [1, 2], []]},
    )
    left = r.without(["b"])
    assert left.column("tokens") == [[1], []]
    assert left.x.toarray().tolist() == [[1, 0, 0], [0, 0, 1]]
    new = Rows(
        np.array(["c"]),
        {"x": sparse.csr_array([[7.0, 0, 0]]), "y": np.array([9]), "tokens": [[5, 5]]},
    )
    changed = r.replace(new)
    assert changed.x.toarray()[2].tolist() == [7, 0, 0]
    assert changed.column("tokens")[2] == [5, 5]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Rows(np.array([1, 1]), {}), RepeatedRecord),
        (lambda: Rows(np.array([1.5]), {}), BadInput),
        (lambda: Rows(np.arange(3), {"x": np.eye(2)}), BadInput),
        (lambda: Rows(np.arange(2), {}, np.eye(2)), BadInput),
        (lambda: rows().without([99]), UnknownRecord),
        (lambda: rows().without([10, 10]), RepeatedRecord),
        (lambda: rows().without(["10"]), UnknownRecord),
        (lambda: rows().without(range(10, 16)), NothingLeft),
        (lambda: rows().column("z"), BadInput),
        (lambda: rows().members(["carol"]), UnknownRecord),
        (
            lambda: rows().replace(
                rows().select([10]).__class__(np.array([10]), {"x": np.eye(1, 3), "y": np.zeros(1)})
            ),
            BadInput,
        ),
        (Request, EmptyRequest),
        (lambda: Request(ids=[10], preserve=[10]).targets(rows()), BadInput),
        (lambda: Request(ids=[10], replace=rows().select([11])).targets(rows()), BadInput),
        (lambda: Certified(0.0, 0.1), BadInput),
        (lambda: Exact(-1.0), BadInput),
        (lambda: Request(ids=[1, "a"]).targets(rows()), BadInput),
        (lambda: stream(-1), BadInput),
        (lambda: stream(True), BadInput),
    ],
)
def test_bad_input_is_refused_by_name(make, error):
    with pytest.raises(error) as caught:
        make()
    assert len(str(caught.value)) > 15


def test_an_unknown_group_is_not_repeated_in_the_error():
    with pytest.raises(UnknownRecord) as caught:
        Request(groups=["carol@example.org"]).targets(rows())
    assert "carol" not in str(caught.value)


def test_requests_by_group_id_and_change():
    r = rows()
    assert Request(groups=["ann"], ids=[11]).targets(r).tolist() == [10, 11, 12, 14]
    assert Request(ids=[]).targets(r).tolist() == []
    new = Rows(np.array([12]), {"x": np.full((1, 2), -1.0), "y": np.array([0])})
    after = Request(replace=new).applied_to(r)
    assert after.x[2].tolist() == [-1, -1]
    assert r.x[2].tolist() == [4, 5]
    assert after.ids.tolist() == r.ids.tolist()


def test_data_frames_and_series_are_taken_by_position_whatever_their_index_says():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({1: [0.0, 1.0, 2.0], 0: ["p", "q", "r"]}, index=[2, 0, 1])
    y = pd.Series(["a", "b", "c"], index=[2, 0, 1])
    rows = Rows(np.array([10, 11, 12]), {"x": frame, "y": y}, pd.Series([7, 8, 7], index=[2, 0, 1]))
    one = rows.select([12, 10])
    assert one.x[1].tolist() == [2.0, 0.0] and one.x[0].tolist() == ["r", "p"]
    assert one.y.tolist() == ["c", "a"] and one.groups.tolist() == [7, 7]
    assert rows.without([10]).x[1].tolist() == [1.0, 2.0]
    assert rows.take(np.array([False, True, False])).x[0].tolist() == ["q"]
    new = Rows(np.array([12]), {"x": frame.iloc[:1], "y": np.array(["z"])})
    changed = rows.replace(new)
    assert changed.x[1].tolist() == [0.0, 1.0, 0.0] and changed.x[0].tolist() == ["p", "q", "p"]
    assert changed.y.tolist() == ["a", "b", "z"] and rows.y.tolist() == ["a", "b", "c"]
    with pytest.raises(BadInput, match="other columns"):
        rows.replace(Rows(np.array([12]), {"x": frame[[1]][:1], "y": np.array(["z"])}))


@given(st.integers(0, 2**63 - 1), st.text(max_size=8))
def test_streams_repeat(seed, name):
    assert stream(seed, name).integers(2**60) == stream(seed, name).integers(2**60)
    assert 0 <= derive(seed, name) < 2**31


@given(
    st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False) | st.integers() | st.text()),
)
def test_canonical_json_reads_back(value):
    import json

    finite = {k: v for k, v in value.items() if not isinstance(v, float) or abs(v) < float("inf")}
    assert json.loads(canonical(finite)) == finite


@pytest.mark.parametrize(
    "claim", [Exact(1e-8, given=("gamma=1",)), Certified(1.0, 1e-4, ("a",)), Heuristic("why")]
)
def test_claims_round_trip(claim):
    assert claim_from(claim_json(claim)) == claim


def test_reading_and_table_round_trip():
    r = Reading(
        "a",
        1.0,
        0.5,
        float("inf"),
        3,
        "seeds",
        (1, 2),
        "nats",
        "lower",
        2.0,
        (0.0, 1.0),
        float("inf"),
    )
    assert Reading.from_json(r.to_json()) == r
    t = Table("t", {"a": [1, None], "b": ["x", "y"]}, {"a": "s"}, ("b",), "c")
    assert Table.from_json(t.to_json()) == t


@pytest.mark.parametrize("change", [{"value": float("nan")}, {"low": 2.0}, {"n": 0}])
def test_a_reading_that_makes_no_sense_is_refused(change):
    good = {
        "name": "a",
        "value": 1.0,
        "low": 0.0,
        "high": 1.5,
        "n": 3,
        "unit_of_replication": "seeds",
        "seeds": (0,),
        "unit": "",
        "better": "lower",
    }
    Reading(**good)
    with pytest.raises(BadInput):
        Reading(**{**good, **change})


def test_saved_is_deterministic_and_refuses_what_is_not_its_own(tmp_path):
    saved = Saved("unteach.models:Ridge", {"a": 1}, {"x": np.arange(3.0)}, {"blob": b"raw"})
    raw = saved.to_bytes()
    assert raw == saved.to_bytes()
    assert Saved.from_bytes(raw).blobs == {"blob": b"raw"}
    for bad in (b"", b"not a zip", raw[:40], raw[:-30]):
        with pytest.raises(Corrupt):
            Saved.from_bytes(bad)
    flipped = bytearray(raw)
    flipped[raw.index(np.arange(3.0).tobytes()) + 9] ^= 1
    with pytest.raises(Corrupt):
        Saved.from_bytes(bytes(flipped))
    nested = Saved("k", {}, {}, {"inner": raw}).to_bytes()
    with pytest.raises(Corrupt):
        Saved.from_bytes(nested[: nested.rindex(b"PK\x01\x02")])
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("model.json", "{" + " " * 10**6)
    with pytest.raises(Corrupt, match="compressed"):
        Saved.from_bytes(bomb.read_bytes())
    with pytest.raises(BadInput, match="objects"):
        Saved("k", {}, {"x": np.array([object()])}).to_bytes()


def test_write_whole_leaves_nothing_behind(tmp_path):
    with pytest.raises(BadInput, match="cannot write"):
        write_whole(tmp_path / "missing" / "file", b"x")
    (tmp_path / "taken").mkdir()
    with pytest.raises(BadInput):
        write_whole(tmp_path / "taken", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_names_without_the_key_say_nothing():
    assert pseudonym("ann", b"1") == pseudonym("ann", b"1")
    assert pseudonym("ann", b"1") != pseudonym("ann", b"2")
    assert "ann" not in pseudonym("ann", b"1")


def test_import_is_light():
    code = (
        "import sys, unteach; heavy = {'sklearn', 'scipy', 'numba', 'torch', 'pandas', "
        "'matplotlib', 'sqlalchemy', 'typer', 'numpy'} & set(sys.modules); print(heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_long_table_is_shown_by_a_few_rows_and_columns():
    n = 5000
    columns = {f"column {k}": np.arange(n) / 7 for k in range(20)} | {"words": ["<b>"] * n}
    shown = Table("long", columns)
    lines = repr(shown).splitlines()
    assert len(lines) == 13 and max(map(len, lines[1:])) < 125
    assert "5000 rows" in lines[0] and "more)" in lines[1]
    assert "0.1429" in repr(shown) and f"{(n - 1) / 7:.4g}" in repr(shown)
    html = shown._repr_html_()
    assert html.count("<tr>") == 22 and "&lt;b&gt;" in html and "<b>" not in html
    assert repr(Table("none", {})) == "none: 0 rows of "


def test_a_forgotten_long_name_leaves_no_width():
    names = np.array(["ada", "bob", "wilhelmina-the-second"])
    rows = Rows(names, {"x": np.eye(3), "y": names, "note": names.copy()}, groups=names.copy())
    left = rows.without(["wilhelmina-the-second"])
    held = (left.ids, left.groups, left.y, left.columns["note"])
    assert {np.asarray(values).dtype.str for values in held} == {"<U3"}
    assert np.array_equal(left.ids, ["ada", "bob"])
