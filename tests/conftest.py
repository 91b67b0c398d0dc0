"""What every test relies on."""

from __future__ import annotations

import signal


def pytest_configure():
    """Let Ctrl-C reach the processes that tests start.

    Whoever runs the tests in the background of a script starts them with SIGINT ignored, which
    their children would inherit, and nothing could be interrupted.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
