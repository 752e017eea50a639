"""What all tests share: examples are judged by what they find, not by how long a busy machine took for them, and no
test finds itself in a job of GitHub's.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(name, None)

settings.register_profile("cannon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cannon")
