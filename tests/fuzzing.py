"""Damaged inputs, and a survey of what a reader does with them."""

from __future__ import annotations

import faulthandler
import json
import os
import random
import resource
import select
import signal
import struct
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from unteach.core import UnteachError

_WHOLE = [0, 1, -1, 127, 255, 2**15, 2**31 - 1, -(2**31), 2**53, 2**63 - 1, -(2**63)]
_REAL = [0.0, -0.0, 1e-320, 1e308, float("inf"), float("-inf"), float("nan")]
_TOKENS = [
    *(struct.pack(f"{end}q", number) for number in _WHOLE for end in "<>"),
    *(struct.pack(f"{end}d", number) for number in _REAL for end in "<>"),
    *(str(number).encode() for number in _WHOLE),
    *(b"NaN", b"Infinity", b"1e999", b"0x1", b"0_1", b"9" * 5000, b"1/0", b"null", b"true"),
    *(b"\0", b"\n", b"\r", b"\r\n", b"\t", b"\x1b", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28"),
    *(b"\xe2\x80\xae", b'"', b"'", b",", b";", b"\\", b"=", b"{", b"}", b"[" * 3000, b"(" * 3000),
    *(b"]", b")", b"<", b">", b"<!--", b"&a;", b"%s", b"../", b"PK\3\4", b"\x93NUMPY", b"-"),
]


def mutants(seeds: Sequence[bytes], n: int, *, seed: int) -> Iterator[bytes]:
    """Yield n damaged versions of the seeds, one to three damages each; the same for a seed.

    >>> list(mutants([b"abcdef"], 9, seed=0)) == list(mutants([b"abcdef"], 9, seed=0))
    True
    """
    rng = random.Random(seed)
    for _ in range(n):
        case = bytes(rng.choice(seeds))
        for _ in range(rng.choice([1, 1, 2, 3])):
            case = _damaged(case, rng, seeds)
        yield case


def _damaged(case: bytes, rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    a, b = sorted((rng.randrange(len(case) + 1), rng.randrange(len(case) + 1)))
    short = min(b, a + rng.choice([1, 2, 8, 64, 1024]))
    match rng.randrange(8):
        case 0 if case:  # a bit flips
            at = min(a, len(case) - 1)
            return case[:at] + bytes([case[at] ^ 1 << rng.randrange(8)]) + case[at + 1 :]
        case 1:  # the end, or the beginning, is lost
            return case[:a] if rng.random() < 0.7 else case[a:]
        case 2:  # the beginning of one, the end of another
            other = rng.choice(seeds)
            return case[:a] + other[rng.randrange(len(other) + 1) :]
        case 3:  # a part is repeated
            return case[:b] + case[a:short] * rng.choice([1, 2, 100]) + case[b:]
        case 4:  # a part is lost
            return case[:a] + case[short:]
        case 5:  # something is put between
            return case[:a] + rng.choice(_TOKENS) + case[a:]
        case 6:  # something is put over
            token = rng.choice(_TOKENS)
            return case[:a] + token + case[a + len(token) :]
    return case[:a] + rng.randbytes(short - a) + case[short:]  # noise


@dataclass(frozen=True)
class Fault:
    """What went wrong with one case: its number, its bytes, and what happened."""

    case: int
    data: bytes
    what: str

    def __str__(self) -> str:
        return f"case {self.case} ({len(self.data)} bytes): {self.what}"


def survey(
    use: Callable[[bytes], object],
    cases: Iterable[bytes],
    *,
    seconds: float = 20,
    megabytes: int = 1024,
) -> list[Fault]:
    """Return the faults of `use` over the cases: each case that is neither used nor refused.

    An `UnteachError` is a refusal. Any other exception, the death of the process, more than
    `seconds`, or more than `megabytes` of memory is a fault. The cases run in a forked child; one
    that ends it, or has to be ended, is followed by the next in a new child.
    """
    whole, faults, start = list(cases), [], 0
    while start < len(whole):
        start, found = _child(use, whole, start, seconds, megabytes)
        faults += [Fault(number, whole[number], what) for number, what in found.items()]
    return faults


def _child(
    use: Callable[[bytes], object], cases: list[bytes], start: int, seconds: float, megabytes: int
) -> tuple[int, dict[int, str]]:
    """Run the cases from `start` on; return the first that is still to be run, and the faults."""
    ours, theirs = os.pipe()
    with warnings.catch_warnings():  # Python warns of forking beside threads
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        try:
            os.close(ours)
            _run(use, cases, start, theirs, megabytes)
        finally:
            os._exit(0)
    os.close(theirs)
    found: dict[int, str] = {}
    at, held, ends, end = start, b"", time.monotonic() + seconds, ""
    while not end:
        ready, _, _ = select.select([ours], [], [], max(0.0, ends - time.monotonic()))
        part = os.read(ours, 2**16) if ready else b""
        if ready and not part:
            break
        if not ready:
            end = f"no answer after {seconds:g} seconds"
            os.kill(child, signal.SIGKILL)
        *lines, held = (held + part).split(b"\n")
        for line in lines:
            at, what = json.loads(line)
            ends = time.monotonic() + seconds
            if what:
                found[at] = what
    os.close(ours)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if at < len(cases) and at not in found:
        died = signal.Signals(-status).name if status < 0 else f"exit {status}"
        found[at] = end or f"the process died ({died})"
    return at + 1, found


def _run(
    use: Callable[[bytes], object], cases: list[bytes], start: int, out: int, megabytes: int
) -> None:
    faulthandler.disable()
    warnings.simplefilter("ignore")
    with threadpool_limits(1), open(out, "w") as said:  # threads did not survive the fork
        for number in range(start, len(cases)):
            print(json.dumps([number, ""]), file=said, flush=True)
            with open("/proc/self/statm") as memory:
                pages = int(memory.read().split()[0])
            most = pages * resource.getpagesize() + megabytes * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
            what = ""
            try:
                use(cases[number])
            except UnteachError:
                pass
            except BaseException as error:  # noqa: BLE001  (a survey tells of all of them)
                memory_out = f"more than {megabytes} MB\n" * isinstance(error, MemoryError)
                what = memory_out + traceback.format_exc()
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
            if what:
                print(json.dumps([number, what]), file=said, flush=True)
        print(json.dumps([len(cases), ""]), file=said)
