"""Results of every kind, for the tests of what a terminal shows."""

from __future__ import annotations

from cannon.errors import Fault
from cannon.pace import Arrivals, Pace
from cannon.profile import Ramp
from cannon.progress import Phase, Progress
from cannon.reports.terminal import Terminal
from cannon.series import SeriesRow
from cannon.tally import Histogram, StepTally
from cannon.target import Target
from cannon.tls import Tls
from tests.results import (
    a_failing_tally,
    a_paced_plan,
    a_paced_tally,
    a_plan,
    a_result,
    a_tally,
    an_empty_tally,
    latencies_ns,
)

__all__ = ["FAILING_TABLES", "HALFWAY", "HOSTILE_TEXT", "PAGE", "RESULTS", "ROW"]

PAGE = Terminal()
ROW = SeriesRow(
    t_s=5.0,
    window_s=1.0,
    requests=120_345,
    succeeded=120_345,
    failed=0,
    bytes=1,
    p50_ms=0.0712,
    p99_ms=1.234,
    max_ms=5.0,
)
HALFWAY = Progress(phase=Phase.FIRE, elapsed_s=5.0, duration_s=10.0, completed=600_000, row=ROW)
HOSTILE_TEXT = "[/red] \x1b[31mred\x1b[0m\x1b]0;title\x07\r\nsecond line \u202eidib"

RESULTS = {
    "plain": a_result(),
    "failing": a_result(tally=a_failing_tally()),
    "nothing succeeded": a_result(tally=an_empty_tally()),
    "hostile": a_result(tally=a_failing_tally({Fault.RESET: HOSTILE_TEXT})),
    "over TLS": a_result(
        plan=a_plan(targets=(Target.parse("https://localhost/"),), tls=Tls(verify=False)),
        tally=a_tally(
            negotiated={"TLSv1.3 TLS_AES_256_GCM_SHA384": 10},
            fewest_answered=0,
            most_answered=1_204,
            tls=Histogram.of(2_000_000),
            tls_resumed=Histogram.of(*[800_000] * 9),
        ),
    ),
    "suspect": a_result(tally=a_tally(cpu_ns=9_900_000_000)),
    "interrupted at once": a_result(tally=an_empty_tally(), duration_ns=0, series=[], interrupted="SIGTERM"),
    "under a rate": a_result(plan=a_paced_plan(), tally=a_paced_tally()),
    "under a rate it could not keep": a_result(
        plan=a_plan(pace=Pace(Ramp(0, 3_000, 10**10), Arrivals.POISSON)),
        tally=a_paced_tally(never_sent=5_000),
    ),
    "several URLs": a_result(
        plan=a_plan(targets=tuple(Target.parse(f"http://localhost:4000/{path}") for path in ("a", "b"))),
        tally=a_tally(
            status={200: 9_994, 404: 3, 500: 1, 503: 2},
            steps={
                0: StepTally({200: 5_000, 404: 3, 500: 1, 503: 2}, Histogram.of(*latencies_ns(5_006))),
                1: StepTally({200: 4_994}, Histogram.of(*latencies_ns(4_994))),
            },
        ),
    ),
}

FAILING_TABLES = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    401 µs   1.61 ms  ~3.80 ms  60.8 ms   774 ms   10.0 s

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec            82        82        99       115       99     11.7       82
Bytes/Sec     14.7 kB   14.7 kB   17.6 kB   20.6 kB  17.6 kB   2.1 kB  14.7 kB

~ fewer than 20 samples lie beyond this value
rates are of 10 samples, one every 1 s
closed loop: each connection waits for its answer before it asks again (see -R)

Code           Count
────────────────────
200              963
404               20
503                7

"""
"""What `a_failing_tally` looks like, down to its errors."""
