from __future__ import annotations

import select
import signal
import threading

import pytest

from cannon.cli.interrupts import interruptible
from cannon.runner import Interrupt


def stops(interrupt: Interrupt) -> bool:
    """Whether the run has been told to stop."""
    return bool(select.select([interrupt.fileno()], [], [], 0)[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_gives_the_reason(number: signal.Signals) -> None:
    with interruptible() as interrupt:
        assert not stops(interrupt)
        signal.raise_signal(number)
        assert stops(interrupt)
        assert interrupt.reason == number.name


def test_the_second_signal_is_passed_on_and_the_third_ends_all() -> None:
    with interruptible() as interrupt:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert interrupt.reason == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_handled_a_signal_before_handles_it_again(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(ZeroDivisionError), interruptible():
        assert signal.getsignal(number) != before
        _ = 1 / 0
    assert signal.getsignal(number) == before


def test_in_another_thread_signals_are_left_alone() -> None:
    seen: list[object] = []

    def body() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [before]
