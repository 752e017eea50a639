"""What can go wrong, and whose fault it is.

Operators' mistakes raise; what a server does is counted. The tree of what raises, with its exit codes:

    CannonError           1   a defect of cannon itself
    ├── UsageError        2   an option, a URL, a file that cannot be read: nothing was sent
    ├── InvalidRun        3   the run cannot be trusted, or could not begin
    │   └── LostReports   3   reports that could not be written
    └── FramingError      -   bytes that are no response; becomes a counted Fault, never reaches a user

What is counted is a `Fault`, and every Fault is ours or theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

__all__ = ["CannonError", "Fault", "FramingError", "InvalidRun", "LostReports", "UsageError"]


class Fault(StrEnum):
    """Why a request or a dial ended without a whole response. The value is the key in result files."""

    TIMEOUT = "timeout"
    RESET = "reset"
    EMPTY_REPLY = "empty_reply"
    STALE = "stale"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    HEAD_TOO_LARGE = "head_too_large"
    ABORTED = "aborted"
    REFUSED = "refused"
    TLS = "tls"
    PROXY = "proxy"
    DNS = "dns"
    LOCAL = "local"

    @property
    def ours(self) -> bool:
        """Whether the cause lies on this side: no name, no descriptor, no local port."""
        return self in _OURS

    @property
    def theirs(self) -> bool:
        """Whether the server, or what stands in front of it, caused it."""
        return self not in _OURS


_OURS = frozenset({Fault.DNS, Fault.LOCAL})


class CannonError(Exception):
    """The root: carries one line for the user and the exit code of the process."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(CannonError):
    """Bad usage, found before anything was sent. The message says what is wrong and shows a right value."""

    exit_code = 2


class InvalidRun(CannonError):
    """The run could not begin, or its figures cannot be trusted. `sent`: requests that it took to find out."""

    exit_code = 3

    def __init__(self, message: str, sent: int = 0) -> None:
        super().__init__(message)
        self.sent = sent


class LostReports(InvalidRun):
    """Reports could not be written. `lines`: one for each, which names it."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)


class FramingError(CannonError):
    """The bytes on a connection are not the response that was owed."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
