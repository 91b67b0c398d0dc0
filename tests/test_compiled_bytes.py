"""Compiled code gives the same bytes however it came into the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import unteach

COLD = """
import hashlib, numpy as np
from unteach.kernel import SVC
rng = np.random.default_rng(0)
x = rng.normal(size=(120, 13))
y = (x[:, 0] + x[:, 1] ** 2 + rng.normal(size=120) > 1).astype(int)
model = SVC(gamma=0.05).fit(x, y).forget(np.arange(0, 30))
print(hashlib.sha256(model.decision_function(x).tobytes()).hexdigest())
"""


def test_no_compiled_function_may_reorder_its_sums():
    """A reordered sum has other last bits where it is compiled into another function."""
    for path in Path(unteach.__file__).parent.rglob("*.py"):
        assert "fastmath" not in path.read_text(), path


@pytest.mark.slow
def test_compiled_now_or_read_from_a_cache_it_gives_the_same_bytes(tmp_path):
    """Also when half of the functions are compiled anew: they call copies of each other."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def learned():
        command = [sys.executable, "-c", COLD]
        return subprocess.run(command, env=environment, capture_output=True, check=True).stdout

    cold = learned()
    assert learned() == cold
    for path in sorted(tmp_path.rglob("*.nbi"))[::2]:
        path.unlink()
    assert learned() == cold
