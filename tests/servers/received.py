"""What a server of the tests remembers of a request: when it came, on which connection, and every byte of it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Received"]


@dataclass(frozen=True)
class Received:
    """`connection`: counted from 1; `at_ns`: when its head was whole, on the monotonic clock; `in_flight`: requests of
    its connection that were not answered yet, this one among them; `fields` as they came, in order.
    """

    connection: int
    at_ns: int
    in_flight: int
    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytearray = field(default_factory=bytearray)

    def values(self, name: str) -> list[str]:
        """The values of every header of this name, in whatever case it came."""
        return [value for given, value in self.fields if given.lower() == name.lower()]
