"""What each worker did stands on the console when somebody wants to know, or one was lost."""

from __future__ import annotations

from cannon.durations import OwnDelay
from cannon.reports.console import render
from cannon.result import Result, Worker
from tests.reports.samples import PAGE
from tests.results import a_result

WORKERS = """\
Worker         Sent  Completed  Delay 50%       99%      Max  State
─────────────────────────────────────────────────────────────────────────
0            61,234     61,234    20.0 µs    123 µs  1.20 ms  ended
1               900        890          -         -        -  lost
"""


def two_workers(*, state: str) -> Result:
    return a_result(
        workers=[
            Worker(0, "bench", 61_234, 61_234, OwnDelay(0.02, 0.123, 1.2), "ended"),
            Worker(1, "bench", 900, 890, OwnDelay(None, None, None), state),
        ]
    )


def test_a_lost_worker_is_shown_beside_what_the_others_did() -> None:
    assert WORKERS in render(two_workers(state="lost"), PAGE)


def test_several_workers_are_shown_with_the_latency_and_one_never() -> None:
    several = two_workers(state="ended")
    assert "Worker  " in render(several, PAGE, latency=True)
    assert "Worker  " not in render(several, PAGE)
    assert "Worker  " not in render(a_result(), PAGE, latency=True)


def test_workers_of_a_very_long_run_fit_the_page() -> None:
    delay = OwnDelay(999.0, 999.0, 999.0)
    workers = [Worker(index, "bench", 1_234_567_890, 1_234_567_890, delay, "lost") for index in range(99)]
    text = render(a_result(workers=workers), PAGE)
    assert text.count("  lost\n") == 99
    assert max(map(len, text.splitlines())) <= 80
