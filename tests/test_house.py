"""The house keeps its order: few files a folder, short files, no circles."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import grimp
import networkx as nx
import pytest

import unteach

ROOT = Path(unteach.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
EXEMPT = {"audit", "cli"}
"""Rooms that are not in order yet: their files stand in one folder, and those of the audit meet
in a circle and are taken past its face, where a function is named as its file."""


@pytest.fixture(scope="module")
def graph():
    found = grimp.build_graph("unteach", exclude_type_checking_imports=True, cache_dir=None)
    faces = {face_of(p) for p in FILES if p.name == "__init__.py"}
    return found, faces


def face_of(path: Path) -> str:
    return ".".join(("unteach", *path.parent.relative_to(ROOT).parts))


def room_of(module: str) -> str:
    return (module.split(".") + [""])[1]


def test_a_folder_holds_few_files():
    held = Counter(p.parent.relative_to(ROOT) for p in FILES if p.name != "__init__.py")
    full = {str(k): n for k, n in held.items() if n > 14 and str(k) not in EXEMPT}
    assert not full


def test_a_file_reads_on_few_screens():
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := p.read_text().count("\n")) > 404}
    assert not long
    assert len(FILES) <= 520


def test_no_files_import_each_other_in_a_circle(graph):
    found, faces = graph
    arrows = nx.DiGraph(
        (one, other)
        for one in found.modules - faces
        for other in found.find_modules_directly_imported_by(one) - faces
    )
    circles = [c for c in nx.strongly_connected_components(arrows) if len(c) > 1]
    assert {room_of(m) for circle in circles for m in circle} <= {"audit"}


def test_rooms_meet_at_their_face(graph):
    found, _ = graph
    past = [
        (one, other)
        for one in found.modules
        for other in found.find_modules_directly_imported_by(one)
        if room_of(one) and room_of(other) not in ("", room_of(one)) and other.count(".") > 1
    ]
    assert {room_of(other) for _, other in past} <= {"audit"}


def test_no_file_keeps_a_layout_of_its_own():
    assert sum("# fmt: skip" in p.read_text() for p in FILES) == 0
