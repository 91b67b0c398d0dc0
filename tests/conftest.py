"""What every test relies on."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# a machine with much else to do is slow, not wrong; and the same examples are tried every time
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


def pytest_configure():
    """Let Ctrl-C reach the processes that tests start.

    Whoever runs the tests in the background of a script starts them with SIGINT ignored, which
    their children would inherit, and nothing could be interrupted.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
