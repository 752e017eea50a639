"""SIGINT and SIGTERM while a run is on and reported: the first ends the sending, the second the run, the third all.

Law: the handlers stand from before the run until its reports are written, so an impatient second Ctrl-C costs no
report; then what stood before them stands again.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cannon.runner import Interrupt

__all__ = ["interruptible"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOPS = 2
"""How many signals a run is told of; one more is for a run, or a report, that does not end."""


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Yield the Interrupt to hand to a run. In a thread other than the main one signals are left alone."""
    from cannon.runner import Interrupt

    interrupt = Interrupt()
    left = _STOPS

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        interrupt.stop(signal.Signals(number).name)

    with ExitStack() as after:
        after.callback(interrupt.close)
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                # None: what stood there was not set from Python, and cannot be set again by it.
                before = signal.signal(number, stop)
                after.callback(signal.signal, number, signal.SIG_DFL if before is None else before)
        yield interrupt
