"""Where the path of a report leads: a file, or a device, a pipe, the process's own output.

Law: a file is replaced whole and never half-written; what is no file is written through. `/dev/stdout` (and whatever
else leads to an output this process already has) is written by that descriptor: opening it again would write over
what stands there.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Mapping

from cannon.errors import UsageError
from cannon.text import clean, redact_text

__all__ = ["check_place", "is_file", "open_through", "reason", "shown", "status", "write_whole"]

_OWN_OUTPUTS = (1, 2)
_PIPE_REASONS: Mapping[int | None, str] = {
    errno.ENXIO: "nobody reads this pipe",
    errno.EPIPE: "its reader has gone",
    errno.EAGAIN: "its reader is too slow",
}


def check_place(path: str, option: str) -> None:
    """Refuse, before anything is sent, a path that cannot be written. UsageError names the option."""
    if not path or "\0" in path:
        raise UsageError(f"{option} needs the name of a file, e.g. {option} result.json")
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    # In what is no path the system's form of it would hide a secret from who looks for it.
    told = f" {clean(folder)}" if shown(path) == clean(path) else ""
    try:
        found = status(target)
        os.stat(folder)
    except FileNotFoundError:
        raise _refusal(path, option, f"there is no folder{told}; make it first: mkdir -p{told}") from None
    except OSError as error:
        raise _refusal(path, option, f"{reason(error)}; e.g. {option} /tmp/result.json") from None
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise _refusal(
            path, option, f"is a folder; name a file in it, e.g. {shown(path.rstrip('/'))}/result.json"
        )
    if found is not None and not os.access(target, os.W_OK):
        raise _refusal(path, option, "may not be written by you; give another name")
    if (found is None or is_file(path)) and not os.access(folder, os.W_OK | os.X_OK):
        raise _refusal(path, option, f"the folder{told} may not be written by you; give another")


def is_file(path: str) -> bool:
    """Whether the path leads to a file, there or to be, that may be replaced."""
    found = status(path)
    return found is None or (stat.S_ISREG(found.st_mode) and _own_output(found) is None)


def open_through(path: str) -> int:
    """A descriptor to write to what is no file. A pipe is opened non-blocking: OSError when nobody reads it."""
    found = os.stat(path)
    own = _own_output(found)
    if own is not None:
        (sys.stdout if own == 1 else sys.stderr).flush()
        return os.dup(own)
    flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY
    return os.open(path, flags | os.O_NONBLOCK if stat.S_ISFIFO(found.st_mode) else flags)


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of the data, in as many writes as it takes. OSError as the system has it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def shown(path: str) -> str:
    """A path in a message: it may be a URL that was given by mistake."""
    return clean(redact_text(path))


def reason(error: OSError) -> str:
    """Why a write failed, in words."""
    return _PIPE_REASONS.get(error.errno) or error.strerror or str(error)


def status(path: str) -> os.stat_result | None:
    """What stands at the end of the path; None where there is nothing."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _own_output(found: os.stat_result) -> int | None:
    for descriptor in _OWN_OUTPUTS:
        try:
            if os.path.samestat(found, os.fstat(descriptor)):
                return descriptor
        except OSError:
            continue
    return None


def _refusal(path: str, option: str, why: str) -> UsageError:
    return UsageError(f"{option} {shown(path)}: {why}")
