"""What every command is given: the command line, how to fire, and the two streams.

Law: results go to stdout, everything else to stderr, a line at a time. A reader who leaves (`cannon … | head`) is no
error and ends nothing; a stdout that cannot be written is a report that was lost. Foreign text was cleaned before it
comes here, but for the last line of all, which is cleaned and redacted once more. In a job of GitHub's no text is an
order to its runner, but for what `order` is given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannon.errors import InvalidRun
from cannon.reports import github
from cannon.text import clean, redact_text

if TYPE_CHECKING:
    from cannon.comparer import Compare
    from cannon.runner import Run

__all__ = ["Session", "line_of", "order", "print_bytes", "print_text", "say", "tell"]

_LONGEST_LINE = 500


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the program. `command` is its command line, secrets redacted; `fire`, `weigh` None: the real ones.

    `server`: the command after --, which starts what is fired at; empty: it is there. `format`: that of JSON where no
    option tells it.
    """

    command: str
    fire: Run | None = None
    server: tuple[str, ...] = ()
    format: str = "cannon"
    weigh: Compare | None = None

    @property
    def run(self) -> Run:
        """What fires."""
        if self.fire is not None:
            return self.fire
        from cannon.runner import run

        return run

    @property
    def compare(self) -> Compare:
        """What compares."""
        if self.weigh is not None:
            return self.weigh
        from cannon.comparer import compare

        return compare


def line_of(text: str) -> str:
    """The text as a line of cannon's own: marked as such, cleaned, redacted."""
    return f"cannon: {clean(redact_text(text), _LONGEST_LINE)}"


def say(text: str) -> None:
    """One line for the user, on stderr."""
    tell(f"{line_of(text)}\n")


def tell(text: str) -> None:
    """Text to stderr. Never raises: a stderr that is gone is no reason to stop."""
    _to_stderr(github.disarmed(text) if github.is_there() else text)


def order(text: str, *, to_stderr: bool = False) -> None:
    """Lines for GitHub's runner, which reads both streams. Never raises: no result is lost with them."""
    if to_stderr:
        _to_stderr(text)
    elif text:
        with suppress(InvalidRun):
            _to_stdout(_encoded(text))


def _to_stderr(text: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


def print_text(text: str) -> None:
    """Text to stdout; what its encoding lacks becomes a visible escape. InvalidRun where it cannot be written."""
    _to_stdout(_encoded(github.disarmed(text) if github.is_there() else text))


def print_bytes(data: bytes) -> None:
    """A JSON document to stdout, as it is. Raises InvalidRun where it cannot be written."""
    _to_stdout(github.disarmed_json(data) if github.is_there() else data)


def _encoded(text: str) -> bytes:
    return text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "backslashreplace")


def _to_stdout(data: bytes) -> None:
    with _guarded_stdout():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def _guarded_stdout() -> Iterator[None]:
    """A block that writes to stdout: a reader who left is passed over, any other failure is InvalidRun."""
    if sys.stdout is None:
        raise InvalidRun("the results have nowhere to go: stdout is closed")
    try:
        yield
    except BrokenPipeError:
        _abandon_stdout()
    except OSError as error:
        _abandon_stdout()
        raise InvalidRun(f"cannot write the results to stdout: {error.strerror or error}") from None


def _abandon_stdout() -> None:
    """Lead stdout nowhere, or the interpreter would try, and complain, once more when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
