"""Saved models: what is read from a file is checked before it is used."""

from __future__ import annotations

import ctypes
import os
import time

import pytest

from fuzzing import mutants, survey
from unteach.core import BadInput

# the harness itself


def test_mutants_are_the_same_for_a_seed_and_differ_from_what_they_were():
    seeds = [b"one seed of some length", b"", b"another"]
    once = list(mutants(seeds, 200, seed=1))
    assert once == list(mutants(seeds, 200, seed=1)) != list(mutants(seeds, 200, seed=2))
    assert len(set(once)) > 100


def _use(case: bytes) -> object:
    if case == b"crash":
        return ctypes.string_at(0)
    if case == b"hang":
        time.sleep(60)
    if case == b"eat":
        return bytearray(2**31)
    if case == b"leave":
        os._exit(7)
    if case == b"raw":
        raise KeyError("raw")
    if case == b"refuse":
        raise BadInput("refused")
    return len(case)


def test_a_survey_catches_crashes_hangs_memory_and_raw_errors_and_goes_on():
    cases = [b"fine", b"crash", b"refuse", b"hang", b"eat", b"crash", b"leave", b"raw", b"fine"]
    faults = survey(_use, cases, seconds=1)
    assert [fault.case for fault in faults] == [1, 3, 4, 5, 6, 7]
    said = ["SIGSEGV", "no answer after 1 seconds", "more than 1024 MB", "SIGSEGV", "exit 7"]
    for fault, words in zip(faults, [*said, "KeyError: 'raw'"], strict=True):
        assert words in str(fault), fault
        assert fault.data == cases[fault.case]


@pytest.mark.parametrize("cases", [[], [b"fine"] * 3, [b"crash"]])
def test_a_survey_ends(cases):
    assert len(survey(_use, cases)) == cases.count(b"crash")
