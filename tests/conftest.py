"""What all tests share: examples are judged by what they find, not by how long a busy machine took for them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("cannon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cannon")
