"""What all tests have in common."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# A slow machine is not a failure.  In CI the examples are the same every time.
settings.register_profile(
    "qxld",
    settings.get_profile("ci" if os.environ.get("CI") else "default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("qxld")

# What a shell starts in the background ignores Ctrl-C and passes that on; tests end
# programs by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
