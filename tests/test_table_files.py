"""Tables and requests as strangers write them: read as they are meant, or refused by name."""

import gzip
import io
import json
import struct
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

from fuzzing import mutants, survey
from unteach.cli.app import app
from unteach.cli.asked import asked_for, found_in
from unteach.core import BadInput, Request, Rows, UnknownRecord, UnteachError, as_ids
from unteach.data import read_table, rows
from unteach.data.files.images import read_idx

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")
BIG = 2**63 + 5


def written(tmp_path, raw, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return path


def read(path, **options):
    """Return records of a table, and what was said of how it was read."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        records = read_table(path, **{"ids": "id", "target": "y", **options})
    return records, " ".join(str(w.message) for w in said)


# ---------------------------------------------------------------- ids, groups and targets
def big(kind):
    values = [BIG, BIG + 1, 3]
    return {
        "numpy": lambda: np.array(values, dtype=np.uint64),
        "object": lambda: np.array(values, dtype=object),
        "list": lambda: values,
        "mixed signs": lambda: [-1, BIG, 3],
        "huge": lambda: [10**5000, 1, 2],
        "scalars": lambda: [np.uint64(v) for v in values],
        "series": lambda: pd.Series(values, dtype="UInt64"),
        "plain series": lambda: pd.Series(values, dtype="uint64"),
        "index": lambda: pd.Index(np.array(values, dtype=np.uint64)),
        "arrow": lambda: pa.array(values, pa.uint64()),
        "chunked": lambda: pa.chunked_array([pa.array(values, pa.uint64())]),
        "memory map": lambda: np.array(values, dtype=np.uint64).view(np.memmap),
    }[kind]()


KINDS = [
    "numpy",
    "object",
    "list",
    "mixed signs",
    "huge",
    "scalars",
    "series",
    "plain series",
    "index",
    "arrow",
    "chunked",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["ids", "groups", "y"])
def test_numbers_beyond_int64_are_refused_wherever_they_come_in(kind, what):
    given = {"y": [0, 1, 0], what: big(kind)}
    with pytest.raises(BadInput, match="exceeds int64; store it as text"):
        rows(np.eye(3), given.pop("y"), **given)
    if what == "y":
        return
    for use in (
        lambda: Rows(
            big(kind) if what == "ids" else np.arange(3),
            {},
            big(kind) if what == "groups" else None,
        ),
        lambda: Request(**{what: big(kind)}).targets(Rows(np.arange(3), {}, np.arange(3))),
    ):
        with pytest.raises(BadInput, match="exceeds int64"):
            use()


def test_numbers_beyond_int64_are_refused_by_estimators_and_files(tmp_path):
    from unteach.models import Logistic

    with pytest.raises(BadInput, match="exceeds int64"):
        Logistic().fit(np.eye(4), [0, 1, 0, 1], sample_ids=np.array([BIG, 1, 2, 3], np.uint64))
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": np.array([BIG, 1], np.uint64), "a": [1.0, 2.0], "y": [0, 1]}).to_parquet(
        path
    )
    with pytest.raises(BadInput, match=r"column 'id' hold .* exceeds int64"):
        read(path)
    records, _ = read(written(tmp_path, f"id,a,y\n{BIG},1.5,0\n1,2,1\n"))
    assert records.ids.tolist() == [str(BIG), "1"]


@pytest.mark.parametrize("number", [np.int8(7), np.uint8(7), np.uint64(7), 7])
def test_numbers_of_every_width_are_the_number(number):
    records = rows(np.eye(2), [0, 1], ids=np.array([300, 7]))
    assert Request(ids=[number]).targets(records).tolist() == [7]
    assert as_ids(np.array([number])).tolist() == [7]
    assert as_ids(pd.Series([7, 9], dtype="Int8")).tolist() == [7, 9]


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ([1e16 + 1, 3.0, 4.0], "whole numbers or strings"),
        (np.array([1, 2, 3], dtype=np.float32), "whole numbers or strings"),
        ([True, False, 2], "mixes bool, int"),
        (np.array([True, False, True]), "whole numbers or strings"),
        ([1, 2, None], "hold nothing at row 2"),
        ([1, 2, float("nan")], "whole numbers or strings"),
        (pd.Series([1, None, 3], dtype="Int64"), "hold nothing at row 1"),
        (pd.Series(["a", None, "c"], dtype="string"), "hold nothing at row 1"),
        (pa.array([1, None, 3]), "hold nothing at row 1"),
        ([pd.NaT, 1, 2], "hold nothing at row 0"),
        (pd.to_datetime(["2020-01-01"] * 3), "turn it into text"),
        (np.array(["2020-01-01"] * 3, dtype="M8[ns]"), "turn it into text"),
        ([np.datetime64("2020-01-01", "ns"), 1, 2], "mixes datetime64, int"),
        (np.array([b"a", b"b", b"c"]), "turn it into text"),
        ([b"a", b"b", b"c"], "type bytes"),
        (["a", 1, "c"], "mixes strings"),
        (["a", b"b", "c"], "mixes strings"),
        (["a", "a\0", "b"], "zero character, at row 1"),
        ([Decimal(1), Decimal(2), Decimal(3)], "type Decimal"),
        ([Fraction(1), Fraction(2), Fraction(3)], "type Fraction"),
        ([(1, 2), (3, 4), (5, 6)], "sequence a row"),
        (np.eye(3, dtype=int), "one-dimensional"),
        (pd.DataFrame({"a": [1, 2, 3]}), "flatten it"),
        (pd.MultiIndex.from_tuples([(1, 2), (3, 4), (5, 6)]), "sequence a row"),
        (np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]), "masked"),
        ({1, 2, 3}, "no rows"),
        ({1: 2, 3: 4, 5: 6}, "no rows"),
        (np.array([1j, 2, 3]), "whole numbers or strings"),
    ],
)
def test_ids_that_are_no_numbers_and_no_strings_are_refused(ids, says):
    with pytest.raises(BadInput, match=says):
        rows(np.eye(3), [0, 1, 0], ids=ids)


def test_a_name_of_another_type_or_form_is_said_and_never_matched():
    numbers = rows(np.eye(2), [0, 1], ids=[7, 8], groups=[7, 10**16 + 1])
    texts = rows(np.eye(2), [0, 1], ids=["Zo\u00eb", "7"], groups=["Zo\u00eb", "P000 "])
    for records, request, says in (
        (numbers, {"ids": ["7"]}, "its type, text or number"),
        (texts, {"ids": [7]}, "its type, text or number"),
        (texts, {"ids": ["zo\u00eb"]}, "capital letters"),
        (texts, {"ids": ["Zoe\u0308"]}, "its Unicode form"),
        (texts, {"ids": ["7 "]}, "spaces around it"),
        (numbers, {"groups": ["7"]}, "its type, text or number"),
        (texts, {"groups": ["P000"]}, "spaces around it"),
        (texts, {"groups": ["zo\u00eb"]}, "capital letters"),
    ):
        with pytest.raises(UnknownRecord, match=f"did you mean .* differs in {says}"):
            Request(**request).targets(records)
    with pytest.raises(UnknownRecord):  # as floats they would be equal
        Request(groups=[1e16]).targets(numbers)
    assert Request(groups=["P000 "]).targets(texts).tolist() == ["7"]


def test_of_several_names_those_that_are_not_there_are_said():
    records = rows(np.eye(3), [0, 1, 0], ids=["a", "b", "c"], groups=["ann", "bob", "cy"])
    with pytest.raises(UnknownRecord, match="number 2 of 3 named") as caught:
        Request(groups=["ann", "carol", "bob"]).targets(records)
    assert "carol" not in str(caught.value)
    with pytest.raises(UnknownRecord, match="numbers 1, 3 of 3 named"):
        Request(groups=["x", "bob", "z"]).targets(records)
    with pytest.raises(UnknownRecord, match="'x', nor with 1 others of the 3 named"):
        Request(ids=["x", "b", "z"]).targets(records)


# ---------------------------------------------------------------- arrays of other libraries
class Frame:
    """A frame of another library: columns, and what it gives as an array."""

    def __init__(self, values, **given):
        self.columns = list(given)
        self._values = np.column_stack([given[c] for c in given]) if given else values

    def to_numpy(self):
        return self._values

    def __len__(self):
        return len(self._values)


class Tensor:
    """A tensor that wants to be taken off its graph."""

    def __init__(self, values):
        self._values, self.dtype = np.asarray(values), "torch.float32"

    def detach(self):
        return self

    def cpu(self):
        return self

    def __array__(self, dtype=None, copy=None):
        return self._values


X = np.array([[1.5, 2.0], [3.0, 4.5], [5.0, 6.0]])


@pytest.mark.parametrize(
    "given",
    [
        X,
        X.astype(np.float16),
        X.astype(np.longdouble),
        X.astype(object),
        X.tolist(),
        pd.DataFrame(X),
        pd.DataFrame(X).astype("Float64"),
        pa.table({"a": X[:, 0], "b": X[:, 1]}),
        Frame(X, a=X[:, 0], b=X[:, 1]),
        Tensor(X),
        np.ma.masked_array(X, mask=False),
        sparse.csr_matrix(X),
        sparse.coo_array(X),
        pd.DataFrame(X).astype(pd.SparseDtype("float64", 0.0)),
        pd.DataFrame({"k": pd.Categorical([1.5, 3.0, 5.0]), "b": X[:, 1]}),
    ],
)
def test_numbers_are_taken_from_whatever_holds_them(given):
    x = rows(given, [0, 1, 0]).x
    x = x.toarray() if sparse.issparse(x) else x
    assert x.dtype == np.float64 and x.tolist() == X.tolist()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.ma.masked_array(X, mask=X > 5), "masked"),
        (X.astype(complex), "complex"),
        (np.array([["1.5", "2"]] * 3, dtype=object), "got str at row 0, column 0"),
        (pd.DataFrame({"a": pd.array([1, None, 3], "Int64"), "b": [1.0, 2, 3]}), "nan at row 1"),
        (pd.DataFrame({"a": pd.Categorical(["u", "v", "u"])}), "got str"),
        (pd.DataFrame({"a": pd.to_datetime(["2020"] * 3)}), "datetime64"),
        (pd.DataFrame({"a": pd.to_datetime(["2020"] * 3), "b": [1, 2, 3]}), "Timestamp"),
        (pa.table({"a": [1.0, None, 3.0]}), "nan at row 1"),
        ([[1.0], [2.0, 3.0], [4.0]], "one length"),
        (np.array([[10**400]] * 3, dtype=object), "beyond float64"),
        (np.array([[Decimal(1)]] * 3, dtype=object), "Decimal"),
        (object(), "got a object; hand in an array"),
        (pd.DataFrame({"Unnamed: 0": [0, 1, 3], "b": [1.0, 2, 3]}), "index of a data frame"),
        (Frame(X, index=np.array([4, 2, 9]), b=X[:, 1]), "index of a data frame"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(given, says):
    with pytest.raises(BadInput, match=says):
        rows(given, [0, 1, 0])


@pytest.mark.parametrize(
    "y",
    [
        np.eye(3, dtype=int),
        [[0, 1], [1, 0], [1, 1]],
        [("a",), ("b", "c"), ()],
        pd.DataFrame({"a": [0, 1, 0], "b": [1, 1, 0], "c": [0, 0, 1]}),
        sparse.eye(3).tocsr(),
    ],
)
def test_several_targets_a_record_are_refused(y):
    with pytest.raises(BadInput, match=r"one value a record|flatten"):
        rows(X, y)


def test_columns_of_records_lose_no_mask_and_no_type():
    with pytest.raises(BadInput, match="column 'x' has masked entries"):
        Rows(np.arange(3), {"x": np.ma.masked_array(X, mask=X > 5)})
    records = Rows(np.arange(3), {"x": Tensor(X), "y": pa.array([0, 1, 0])})
    assert records.without([0]).x.tolist() == X[1:].tolist()
    table = pa.Table.from_pandas(pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index=[5, 7, 9]))
    assert list(Rows(np.arange(3), {"x": table}).x.columns) == ["a"]


def test_estimators_lose_no_mask_and_no_label():
    from unteach.kernel import SVC
    from unteach.memorize import Memories
    from unteach.models import Logistic, NaiveBayes, Neighbours, Ridge, Scaler

    x = np.vstack([X, X + 0.5, X - 0.5])
    masked, y = np.ma.masked_array(x, mask=x > 6), np.array([BIG, BIG + 1, 3] * 3, dtype=np.uint64)
    for kind in (SVC, Logistic, NaiveBayes, Neighbours, Ridge, Scaler):
        with pytest.raises(BadInput, match="X has masked entries"):
            kind().fit(masked, np.arange(9) % 2)
        if kind not in (Ridge, Scaler):
            model = kind().fit(x, y)
            assert model.classes_.tolist() == [3, BIG, BIG + 1]
            assert set(model.predict(x).tolist()) <= {3, BIG, BIG + 1}
    with pytest.raises(BadInput, match="X has masked entries"):
        Memories(masked, np.arange(9) % 2, learner="knn")


# ---------------------------------------------------------------- the index of a data frame
def test_an_index_that_the_file_names_is_left_out_and_said(tmp_path):
    frame = pd.DataFrame({"k": list("abcdef"), "age": range(6), "y": list("uvuvuv")})
    frame[frame.age != 2].to_parquet(tmp_path / "t.parquet")
    records, said = read(tmp_path / "t.parquet", ids="k")
    assert records.x.tolist() == [[0.0], [1.0], [3.0], [4.0], [5.0]]
    assert "'__index_level_0__' left out" in said
    frame.assign(b=1.5, age=[3, 1, 2, 9, 7, 5]).set_index("age").to_parquet(tmp_path / "n.parquet")
    records, said = read(tmp_path / "n.parquet", ids="k")
    assert records.x.tolist() == [[1.5]] * 6 and "'age' left out" in said
    records, said = read(tmp_path / "n.parquet", ids="k", features=["age"])
    assert records.x.ravel().tolist() == [3, 1, 2, 9, 7, 5] and said == ""
    frame.set_index("k").to_parquet(tmp_path / "i.parquet")
    assert read(tmp_path / "i.parquet", ids="k")[1] == ""


@pytest.mark.parametrize(
    "name",
    [
        "Unnamed: 0",
        "index",
        "row_nr",
        "rownames",
        "row.names",
        "level_0",
        "...1",
        "__index_level_0__",
        "Unnamed: 0.1",
        "X",
        "row_index",
        "row_id",
    ],
)
def test_what_looks_like_an_index_is_refused_and_can_be_left_out(tmp_path, name):
    name = name.replace(".1", "") if name.endswith("0.1") else name
    text = f"{name},id,a,y\n" + "".join(f"{k},k{k},1.{k},{k % 2}\n" for k in range(4))
    path = written(tmp_path, text)
    with pytest.raises(BadInput, match=r"looks like the index.*leave_out"):
        read(path)
    records, _ = read(path, leave_out=[name])
    assert records.x.tolist() == [[1.0], [1.1], [1.2], [1.3]]
    assert read(path, features=[name, "a"])[0].x.shape == (4, 2)
    assert read(path, ids=name, leave_out=["id"])[0].ids.tolist() == [0, 1, 2, 3]
    result = fit(path, tmp_path)
    assert result.exit_code != 0 and "--leave-out" in result.stderr
    left = fit(path, tmp_path, "--leave-out", name)
    assert left.exit_code == 0, left.stderr


def test_numbers_that_are_no_index_stay_features(tmp_path):
    path = written(tmp_path, "id,index,X,y\na,1,2.5,0\nb,1,0,1\nc,4,1,0\n")
    assert read(path)[0].x.tolist() == [[1, 2.5], [1, 0], [4, 1]]


# ---------------------------------------------------------------- files of every make
PLAIN = "id,a,y\nk1,1.5,u\nk2,2.5,v\n"


@pytest.mark.parametrize(
    ("raw", "name", "says"),
    [
        (PLAIN, "t.csv", ""),
        (PLAIN.replace(",", "\t"), "t.tsv", ""),
        (gzip.compress(PLAIN.encode(), mtime=0), "t.csv.gz", ""),
        (gzip.compress(PLAIN.replace(",", "\t").encode(), mtime=0), "t.TSV.gz", ""),
        (PLAIN.replace(",", "\t"), "t.csv", "tabs between columns"),
        (PLAIN.replace(",", ";"), "t.csv", "semicolons between columns"),
        (PLAIN.replace(",", ";").replace(".", ","), "t.csv", "decimal commas"),
        (PLAIN.replace(",", "\t").replace(".", ","), "t.tsv", "decimal commas"),
        (PLAIN.encode("utf-8-sig"), "t.csv", ""),
        (PLAIN.encode("utf-16"), "t.csv", ""),
        (("\ufeff" + PLAIN).encode("utf-16-be"), "t.csv", ""),
        (PLAIN.encode("utf-32"), "t.csv", ""),
        (PLAIN.replace(",", ", "), "t.csv", "spaces behind separators"),
        (PLAIN.replace("\n", "\r"), "t.csv", ""),
        (PLAIN.replace("\n", "\r\n"), "t.csv", ""),
    ],
)
def test_one_table_is_the_same_however_it_is_written(tmp_path, raw, name, says):
    records, said = read(written(tmp_path, raw, name))
    assert records.ids.tolist() == ["k1", "k2"] and records.x.tolist() == [[1.5], [2.5]]
    assert records.y.tolist() == ["u", "v"] and (says in said if says else said == "")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("id,a;y\nk1,1;0\nk2,2;1\n", "separated by commas and by semicolons"),
        ("id;a;y\nk1;1,234;0\nk2;2,345;1\n", "line 2: .*'a' holds '1,234'.*two numbers"),
        ("id;a;b;y\nk1;1,5;1.5;0\nk2;2,5;2.5;1\n", "'b' holds '1.5'.*two numbers"),
        ("id;a;y\nk1;1,5;0\nk2;2.5;1\n", "line 3: .*'a' holds '2.5'"),
        ("id,a,y\nk1,1,5,0\n", "line 2: 4 cells for 3 columns"),
        ("id;a;y\nk1;1;5;0\n", "quote cells that hold semicolons"),
        ('id,a,y\nk1,"1,5",0\nk2,"2,5",1\n', "'a' holds the text '1,5'"),
        ("id;a;y\nk1;1.234,5;0\nk2;2,5;1\n", "the text '1.234,5'"),
        ("id,a,y\nk1,true,0\nk2,2,1\n", "the text 'true'"),
        ("id,A,y\nk1,1,0\n", "no column 'a'.*did you mean 'A'"),
        (" id,a,y\nk1,1,0\nk1,2,1\n", "id 'k1' stands in line 2"),
        ("id,a, y \nk1,1,0\n", "no column 'y'.*did you mean 'y '"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_by_its_place(tmp_path, raw, says):
    options = {"features": ["a"]} if "'A'" in says else {}
    with pytest.raises(BadInput, match=says):
        read(written(tmp_path, raw), **options)


def test_truth_values_are_one_and_zero_and_two_targets_are_classes(tmp_path):
    path = written(tmp_path, "id,a,y\nk1,True,0.0\nk2,FALSE,1.0\nk3,true,1.0\n")
    records, said = read(path)
    assert records.x.tolist() == [[1], [0], [1]] and records.y.tolist() == [0, 1, 1]
    assert records.y.dtype == np.int64 and "true and false in 'a'" in said and "classes" in said
    frame = pd.DataFrame({"id": ["a", "b"], "a": [True, False], "y": [0.0, 1.0]})
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    assert read(tmp_path / "t.parquet")[0].y.dtype == np.int64


def test_only_spaces_that_the_header_has_too_are_left_out(tmp_path):
    path = written(tmp_path, "id,a,who,y\nk1,1,P000 ,0\nk2,2, P000,1\n")
    assert read(path, groups="who")[0].groups.tolist() == ["P000 ", " P000"]
    path = written(tmp_path, 'id, a, y\nk1, 1, "x, z"\nk2, 2, v \n')
    assert read(path)[0].y.tolist() == ["x, z", "v "]


def test_what_a_small_file_may_unpack_to_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setenv("UNTEACH_UNPACKED", "1000")
    bomb = gzip.compress((PLAIN + "k,1,u\n" * 10**5).encode(), mtime=0)
    with pytest.raises(BadInput, match=r"would unpack to .* at most"):
        read(written(tmp_path, bomb, "t.csv.gz"))
    raw = struct.pack(">BBBBI", 0, 0, 8, 1, 10**6) + bytes(10**6)
    with pytest.raises(BadInput, match="would unpack to"):
        read_idx(written(tmp_path, gzip.compress(raw, mtime=0), "i.gz"))
    pd.DataFrame({"id": range(10**5), "a": 1.5, "y": 0}).to_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr("unteach.data.files.parquet_cells.unpacked_limit", lambda raw: 10**5)
    with pytest.raises(BadInput, match=r"would unpack to .* at most"):
        read(tmp_path / "t.parquet")


# ---------------------------------------------------------------- requests, and the command line
def test_values_are_looked_for_as_they_are_written_and_then_without_spaces(tmp_path):
    known = np.array(["P000", "P000 ", " P001", "P002"])
    for text, found, bare in (
        ("P000 \n", ["P000 "], 0),
        ("P000\r\nP000 \r\n", ["P000", "P000 "], 0),
        (" P001\n\n  \nP002", [" P001", "P002"], 0),
        ("P002  \n", ["P002"], 1),
    ):
        for raw in (text.encode(), text.encode("utf-16"), text.encode("utf-8-sig")):
            path = written(tmp_path, raw, "who.txt")
            asked = asked_for(ids_file=None, ids=(), group="g", values_from=str(path))
            notes = []
            assert found_in(asked, known, where="t", skip_missing=False, notes=notes) == (found, 0)
            assert len(notes) == bare
    for text, says in (("p002", "capital letters"), ("P001", "spaces around it")):
        asked = asked_for(ids_file=None, ids=[text], group=None, values_from=None)
        with pytest.raises(UnknownRecord, match=f"did you mean one that differs in {says}"):
            found_in(asked, known, where="t", skip_missing=False)
    asked = asked_for(
        ids_file=str(written(tmp_path, "a\x0bb\u2028c\x85d\n", "r.txt")),
        ids=(),
        group=None,
        values_from=None,
    )
    assert asked.values == ("a\x0bb\u2028c\x85d",)


def fit(path, tmp_path, *options):
    out = tmp_path / "m.unteach"
    words = [
        "fit",
        str(path),
        "--out",
        str(out),
        "--ids-column",
        "id",
        "--target",
        "y",
        "--model",
        "logistic",
        "--holdout",
        "0",
        "--force",
        "--store",
        str(tmp_path / "store"),
        "--json",
        *options,
    ]
    return CliRunner().invoke(app, words)


def table(n=24):
    """Return lines of a table that a classifier can learn: id, group, a, smoker, y."""
    lines = [["id", "who", "a", "smoker", "y"]]
    for k in range(n):
        lines.append(
            [
                f"k{k}",
                f"P00{k % 6} ",
                f"{k / 4 + 0.1:.2f}",
                str(k % 3 == 0),
                "1.0" if k % 2 else "0.0",
            ]
        )
    return lines


@pytest.mark.parametrize(
    ("name", "apart", "encoding"),
    [
        ("t.tsv", "\t", "utf-8"),
        ("t.csv", ";", "utf-8"),
        ("t.csv.gz", ",", "utf-8"),
        ("t.csv", ", ", "utf-16"),
    ],
)
def test_the_command_line_reads_what_the_library_reads(tmp_path, name, apart, encoding):
    text = "\n".join(apart.join(line) for line in table()) + "\n"
    text = text.replace(".", ",") if apart == ";" else text
    raw = text.encode(encoding)
    path = written(tmp_path, gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw, name)
    done = fit(path, tmp_path, "--group", "who")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["records"] == 24
    assert "was read with" in " ".join(done.stderr.split())
    who = written(tmp_path, "P003 \n", "who.txt")
    words = [
        "forget",
        str(tmp_path / "m.unteach"),
        "--data",
        str(path),
        "--ids-column",
        "id",
        "--target",
        "y",
        "--group",
        "who",
        "--values-from",
        str(who),
        "--dry-run",
        "--json",
        "--store",
        str(tmp_path / "store"),
    ]
    dry = CliRunner().invoke(app, words)
    assert dry.exit_code == 0, dry.stderr
    said = json.loads(dry.stdout)
    assert said["rows"] == 4 and any("was read with" in note for note in said["notes"])
    who.write_text("P003\n")
    absent = CliRunner().invoke(app, words)
    assert absent.exit_code != 0 and "spaces around it" in " ".join(absent.stderr.split())
    assert "P003" not in absent.stderr


# ---------------------------------------------------------------- damaged files
def seeds():
    """Return small files of every make that is read, by ending."""
    lines = table(8)
    text = "\n".join(",".join(line) for line in lines) + "\n"
    frame = pd.DataFrame(lines[1:], columns=lines[0])
    frame = frame.assign(
        a=frame.a.astype(float), smoker=frame.smoker == "True", y=frame.y.astype(float)
    )
    whole = []
    for options in ({}, {"index": False, "compression": None}):
        out = io.BytesIO()
        frame[frame.a > 0.3].to_parquet(out, **options)
        whole.append(out.getvalue())
    idx = struct.pack(">BBBBII", 0, 0, 8, 2, 2, 3) + bytes(range(6))
    reals = struct.pack(">BBBBI", 0, 0, 0x0E, 1, 2) + struct.pack(">2d", 1.5, 2.5)
    semicolons = "id;who;a;smoker;y\nk1;P;1,5;True;u\nk2;Q;0,25;False;v\n"
    return {
        ".csv": [
            text.encode(),
            semicolons.encode(),
            text.encode("utf-16"),
            text.replace(",", ", ").encode(),
            b'id,who,a,smoker,y\n1,"a ""b""",1e3,0,1\n',
        ],
        ".tsv": [text.replace(",", "\t").encode()],
        ".csv.gz": [gzip.compress(t.encode(), mtime=0) for t in (text, semicolons)],
        ".parquet": whole,
        ".idx": [idx, reals],
        ".gz": [gzip.compress(idx, mtime=0)],
        ".txt": [b"k1\nP003 \r\nk7\n", "k1\nP003\n".encode("utf-16"), b"\xef\xbb\xbfk2"],
    }


def use_table(path):
    def use(raw):
        path.write_bytes(raw)
        records, _ = read(path, groups="who")
        assert np.isfinite(records.x).all() and len(set(records.ids.tolist())) == len(records) > 0
        assert records.y.dtype.kind in "iU" or np.isfinite(records.y).all()
        assert records.x.dtype == np.float64 and len(records.groups) == len(records)

    return use


def use_request(path):
    known = np.array(["k1", "k2", "k7", "P003 "])

    def use(raw):
        path.write_bytes(raw)
        asked = asked_for(ids_file=str(path), ids=(), group=None, values_from=None)
        found, _ = found_in(asked, known, where="t", skip_missing=True)
        assert 0 < len(found) == len(set(found)) and set(found) <= set(known.tolist())

    return use


def use_images(path):
    def use(raw):
        path.write_bytes(raw)
        assert read_idx(path).nbytes <= max(2**28, 8 * len(raw))

    return use


def damaged(tmp_path, n, seed):
    faults = []
    for k, (ending, files) in enumerate(seeds().items()):
        path = Path(tmp_path) / f"f{ending}"
        use = {".idx": use_images, ".gz": use_images, ".txt": use_request}.get(ending, use_table)
        for raw in files:
            try:
                use(path)(raw)
            except UnteachError as error:
                raise AssertionError(f"{ending}: a sound file was refused") from error
        cases = mutants(files, n, seed=seed + k)
        faults += [f"{ending}: {f}" for f in survey(use(path), cases)]
    return faults


def test_damaged_tables_are_read_or_refused_by_name(tmp_path):
    assert damaged(tmp_path, 45, seed=0) == []


@pytest.mark.slow
def test_many_damaged_tables_are_read_or_refused_by_name(tmp_path):
    assert damaged(tmp_path, 450, seed=100) == []
