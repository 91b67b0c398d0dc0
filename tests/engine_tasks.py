"""Functions that the tests of the engine run in workers, in a module that is quick to load."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from unteach.core import stream


def train(seed):
    rng = stream(seed, "train")
    x = rng.normal(size=(60, 20))
    w = np.linalg.solve(x.T @ x, x.T @ rng.normal(size=60))
    return {"weights": w, "norm": float(np.linalg.norm(w))}


def fussy(k):
    if k % 3 == 1:
        raise ValueError(f"task of {k} does not like it")
    if k == 2:
        return object()
    if k == 5:
        sys.exit("enough")
    return k


def counted(payload):
    """Leave a mark for every call, and die as often as the payload says."""
    folder, k, deaths = payload
    marks = sorted(Path(folder).glob(f"{k}-*"))
    (Path(folder) / f"{k}-{len(marks)}").touch()
    if len(marks) < deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return k


def threads_used(_):
    import numba
    from threadpoolctl import threadpool_info

    (np.ones((200, 200)) @ np.ones((200, 200))).sum()
    pools = sorted({pool["num_threads"] for pool in threadpool_info()})
    return {"pools": pools, "numba": numba.get_num_threads(), "pid": os.getpid()}
