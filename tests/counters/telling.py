"""The real proxies of the tests, where they tell of themselves."""

from __future__ import annotations

import time
from collections.abc import Callable

from cannon.counters import read
from tests.servers.real import HAProxy, Nginx

__all__ = ["Figures", "TellingHAProxy", "TellingNginx", "settled"]

Figures = dict[str, dict[str, float]]
"""The figures of a reading, by row."""


class TellingHAProxy(HAProxy):
    """HAProxy with its stats socket."""

    @property
    def stats(self) -> str:
        """The path of the socket."""
        return str(self._folder / "stats")

    def told(self) -> Figures:
        """What it says of itself now."""
        return {row.of: row.figures for row in read("haproxy", self.stats)}


class TellingNginx(Nginx):
    """nginx with its page of numbers, which is not in its log."""

    @property
    def status(self) -> str:
        """The page's URL."""
        return self.url("/status")

    def told(self) -> dict[str, float]:
        """What it says of itself now."""
        (row,) = read("nginx", self.status)
        assert row.of == "nginx"
        return row.figures

    def _configuration(self, port: int) -> str:
        other = "location = /missing"
        text = super()._configuration(port)
        assert other in text
        return text.replace(other, f"location = /status {{ stub_status; access_log off; }} {other}")


def settled(told: Callable[[], Figures], holds: Callable[[Figures], bool]) -> Figures:
    """The first reading of which this holds, or the last: a proxy counts a moment after its client has the answer."""
    until_s = time.monotonic() + 5
    while not holds(now := told()) and time.monotonic() < until_s:
        pass
    return now
