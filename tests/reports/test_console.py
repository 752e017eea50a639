"""What the console shows: exact pictures at 80 columns, and which table stands when."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cannon.reports.console import render
from cannon.tally import Row
from tests.reports.samples import FAILING_TABLES, PAGE, RESULTS
from tests.results import a_plan, a_result, a_tally

PLAIN = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    400 µs   1.40 ms   2.28 ms   523 µs   650 µs  33.4 ms

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec           833       833     1,000     1,167    1,000      118      833
Bytes/Sec      148 kB    148 kB    178 kB    208 kB   178 kB  21.0 kB   148 kB

rates are of 10 samples, one every 1 s
closed loop: each connection waits for its answer before it asks again (see -R)

10,000 requests in 10.00 s, 1.8 MB read
"""

WITH_LATENCY = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    400 µs   1.40 ms   2.28 ms   523 µs   650 µs  33.4 ms
First byte     334 µs    400 µs   1.40 ms   2.28 ms   523 µs   650 µs  33.4 ms
Connect      ~90.0 µs   ~110 µs   ~135 µs   ~135 µs   113 µs  14.4 µs   135 µs

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec           833       833     1,000     1,167    1,000      118      833
Bytes/Sec      148 kB    148 kB    178 kB    208 kB   178 kB  21.0 kB   148 kB

Percentile   Latency
────────────────────
         1    333 µs
       2.5    334 µs
        10    341 µs
        25    357 µs
        50    400 µs
        75    503 µs
        90    725 µs
        95    995 µs
      97.5   1.40 ms
        99   2.28 ms
      99.9  ~8.07 ms
     99.99  ~22.1 ms
    99.999  ~33.4 ms

Responses by latency
█
█▆
██▆▁
████▆▃▁
███████▇▆▅▄▄▃▃▂▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ ▁▁ ▁ ▁  ▁   ▁      ▁
┴─────────────────┴───────────┴───────────────┴───────────┴───────────────────┴
332 µs            1 ms        2 ms            5 ms        10 ms         33.4 ms

~ fewer than 20 samples lie beyond this value
rates are of 10 samples, one every 1 s
closed loop: each connection waits for its answer before it asks again (see -R)

10,000 requests in 10.00 s, 1.8 MB read
"""

FAILING = (
    FAILING_TABLES
    + """\
Error             Count  First example
────────────────────────────────────────────────────────────────────────
connect: refused     13  127.0.0.1:4000 refused the connection
timeout               6  no response within 10 s
reset                 2  the server reset the connection after 512 bytes

963 2xx responses, 27 non 2xx responses
3 responses did not match what was expected
1 response came that no request had asked for
sent 1,000 = 990 completed + 8 failed + 2 in flight (the oldest for 2.34 s)
connects 25 = 12 made + 13 failed
1,000 requests in 10.00 s, 176 kB read
"""
)

OVER_TLS = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    400 µs   1.40 ms   2.28 ms   523 µs   650 µs  33.4 ms

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec           833       833     1,000     1,167    1,000      118      833
Bytes/Sec      148 kB    148 kB    178 kB    208 kB   178 kB  21.0 kB   148 kB

rates are of 10 samples, one every 1 s
closed loop: each connection waits for its answer before it asks again (see -R)

the busiest connection got 1,204 responses, the idlest 0
TLSv1.3, TLS_AES_256_GCM_SHA384: 10 connections, 9 of them resumed
TLS was not verified (-k)
10,000 requests in 10.00 s, 1.8 MB read
"""

NOTHING = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency             -         -         -         -        -        -        -

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec             0         0         0         0        0        0        0
Bytes/Sec         0 B       0 B       0 B       0 B      0 B      0 B      0 B

rates are of 10 samples, one every 1 s

Error             Count  First example
──────────────────────────────────────────────────────────────
connect: refused     40  127.0.0.1:4000 refused the connection

connects 40 = 0 made + 40 failed
invalid: no request succeeded
0 requests in 10.00 s, 0 B read
"""


def test_a_plain_run() -> None:
    assert render(RESULTS["plain"], PAGE) == PLAIN


def test_percentiles_and_picture() -> None:
    assert render(RESULTS["plain"], PAGE, latency=True) == WITH_LATENCY


def test_a_run_that_lost_something() -> None:
    assert render(RESULTS["failing"], PAGE) == FAILING


def test_a_run_in_which_nothing_succeeded() -> None:
    assert render(RESULTS["nothing succeeded"], PAGE, latency=True) == NOTHING


def test_a_run_over_tls() -> None:
    assert render(RESULTS["over TLS"], PAGE) == OVER_TLS


def test_with_latency_fresh_and_resumed_handshakes_stand_apart() -> None:
    lines = render(RESULTS["over TLS"], PAGE, latency=True).splitlines()
    assert [line.split("  ")[0] for line in lines[2:7]] == [
        "Latency",
        "First byte",
        "Connect",
        "TLS",
        "TLS resumed",
    ]


def test_one_2xx_status_needs_no_table_unless_asked_for() -> None:
    assert "Code" not in render(RESULTS["plain"], PAGE)
    assert "Code           Count\n" in render(RESULTS["plain"], PAGE, status_codes=True)


@pytest.mark.parametrize("status", [304, 503])
def test_a_status_that_is_not_2xx_always_has_its_table(status: int) -> None:
    assert f"{status}                7\n" in render(
        a_result(tally=a_tally([1_000_000] * 7, status={status: 7})), PAGE
    )


def test_one_that_is_not_verbose_has_the_lines_alone_and_what_went_wrong_as_lines_too() -> None:
    text = render(RESULTS["failing"], PAGE, verbose=False)
    assert text.splitlines() == [
        "connect: refused 13: 127.0.0.1:4000 refused the connection",
        "timeout 6: no response within 10 s",
        "reset 2: the server reset the connection after 512 bytes",
        *FAILING.splitlines()[-6:],
    ]


def test_statuses_are_shown_where_they_are_not_those_that_were_expected() -> None:
    expecting = a_plan(expect_status=(503,))
    assert "Code" in render(a_result(plan=expecting), PAGE)
    assert "Code" not in render(a_result(plan=expecting, tally=a_tally(status={503: 10_000})), PAGE)


def test_a_run_of_no_time_at_all_has_no_tables() -> None:
    text = render(RESULTS["interrupted at once"], PAGE)
    assert "Stat" not in text
    assert "Error" in text


def test_a_title_stands_first() -> None:
    assert render(a_result(plan=a_plan(title="nightly")), PAGE).startswith("nightly\n\nStat")


def test_reasons_stand_just_before_the_sum() -> None:
    reason = render(RESULTS["suspect"], PAGE).splitlines()[-2]
    assert reason == "suspect: cannon used 99 % of a core: it was the limit, not the server; try -w 2"


def test_an_interrupted_run_says_so() -> None:
    assert "interrupted by SIGTERM" in render(RESULTS["interrupted at once"], PAGE).splitlines()[-2]


def test_a_latency_below_a_microsecond_is_no_zero() -> None:
    text = render(a_result(tally=a_tally([200] * 1_000)), PAGE)
    assert "0 ms" not in text
    assert "255 ns" in text


def test_a_million_requests_a_second_fit() -> None:
    tally = a_tally(row=Row(window_ns=10_000_000_000, requests=123_456_789, received_bytes=10**12))
    lines = render(a_result(tally=tally), PAGE).splitlines()
    assert max(map(len, lines)) <= 80
    assert "12.35M" in next(line for line in lines if line.startswith("Req/Sec"))


def test_rich_is_not_loaded_before_there_is_something_to_draw() -> None:
    program = (
        "import sys, cannon.reports.console, cannon.reports.live, cannon.reports.files;"
        "sys.exit('rich' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
