"""What connections share, for tests of one of them."""

from __future__ import annotations

from time import monotonic_ns
from typing import Any

from cannon.engine.meter import Meter
from cannon.engine.supply import Prepared, Supply
from cannon.request import Request

__all__ = ["meter_of", "prepared"]


def prepared(data: bytes = b"GET / HTTP/1.1\r\n\r\n", step: int = 0) -> Prepared:
    """A request that is these bytes."""
    return Prepared(Request("GET", data), step)


def meter_of(first: Prepared | None = None, amount: int | None = None, **settings: Any) -> Meter:
    """A meter whose supply gives this request, for which a status below 400 is a success."""
    supply = Supply(amount, first or prepared())
    return Meter(lambda status: status < 400, monotonic_ns(), supply, **settings)
