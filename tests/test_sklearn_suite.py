"""scikit-learn's own tests of its machines, run from its wheel with ours in their place."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

PLUGIN = """
import sklearn.svm
import unteach.kernel

for name in ("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM"):
    setattr(sklearn.svm, name, getattr(unteach.kernel, name))
"""
UNCONVERGED = (
    "expects a machine that ran out of max_iter, and a warning; ours converges or raises "
    "NotConverged, because nothing can be claimed of one that did not"
)
PROBABILITY = (
    "asks for probability=True, which scikit-learn has deprecated and removes; it is refused, and "
    "CalibratedClassifierCV named"
)
PRIVATE = "reads or writes private attributes of scikit-learn's wrapper of libsvm"
STANDS_OUT = {
    "test_svm": {
        "test_svr_errors": "expects fit to take a kernel function that returns one value for two "
        "rows, and predict to refuse it; ours refuses it at fit",
        "test_tweak_params": PRIVATE,
        "test_gamma_scale": PRIVATE + "; the number is gamma_",
        "test_svc_raises_error_internal_representation": PRIVATE,
        "test_probability": PROBABILITY,
        "test_hasattr_predict_proba": PROBABILITY,
        "test_probability_raises_futurewarning": PROBABILITY,
        "test_svc_nusvc_probA_probB_deprecated": "reads probA_ and probB_, deprecated with "
        "probability",
        "test_libsvm_convergence_warnings": UNCONVERGED,
        "test_consistent_decision_function": UNCONVERGED,
        "test_n_iter_libsvm": "one of its cases is a NuSVC whose reduced hulls meet: there is no "
        "margin, and libsvm returns numbers without a meaning; ours says so",
        "test_custom_kernel_not_array_input": "its kernel function mirrors half of every block, "
        "so that it is right for all training rows in their order alone; ours hands it the "
        "support vectors (test_kernel_inputs has one that compares row by row)",
    },
    "test_sparse": {
        "test_svc": PROBABILITY + " (test_kernel_inputs compares the same without it)",
        "test_unsorted_indices": PROBABILITY + " (test_kernel_inputs has unsorted indices)",
        "test_sparse_svc_clone_with_callable_kernel": PROBABILITY,
        "test_timeout": UNCONVERGED,
        "test_consistent_decision_function": UNCONVERGED,
        "test_sparse_oneclasssvm": "some cases have the sigmoid kernel, which is not positive "
        "semidefinite: OneClassSVM then has no unique solution, and ours refuses it",
    },
}
PARTLY = {"test_n_iter_libsvm": "NuSVC", "test_sparse_oneclasssvm": "sigmoid"}
"""Functions of which only cases with this in their name may fail."""


def run(module, folder):
    """Return {(function, case): whether it passed} of a test module of scikit-learn's wheel."""
    (folder / "machines_of_unteach.py").write_text(PLUGIN)
    report = folder / f"{module}.xml"
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "machines_of_unteach",
            "-p",
            "no:cacheprovider",
            "--pyargs",
            f"sklearn.svm.tests.{module}",
            f"--junitxml={report}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
    )
    assert told.returncode in (0, 1), told.stdout[-2000:] + told.stderr[-2000:]
    cases = {}
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is None:
            name = case.get("name")
            bad = case.find("failure") is not None or case.find("error") is not None
            cases[name.split("[")[0], name] = not bad
    return cases


def test_the_list_is_short():
    assert sum(len(names) for names in STANDS_OUT.values()) <= 20


@pytest.mark.slow
@pytest.mark.parametrize("module", list(STANDS_OUT))
def test_every_test_of_scikit_learn_passes_or_stands_on_the_list(module, tmp_path):
    cases = run(module, tmp_path)
    assert len(cases) > {"test_svm": 120, "test_sparse": 150}[module]
    failed = {key for key, passed in cases.items() if not passed}
    listed = STANDS_OUT[module]
    assert not {name for function, name in failed if function not in listed}
    assert {function for function, _ in failed} == set(listed)  # the list holds no other
    assert not {name for function, name in failed if PARTLY.get(function, "") not in name}
