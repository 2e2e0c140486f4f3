"""What all tests have in common."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A slow machine is not a failure.  In CI the examples are the same every time.
settings.register_profile(
    "qxld",
    settings.get_profile("ci" if os.environ.get("CI") else "default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("qxld")
