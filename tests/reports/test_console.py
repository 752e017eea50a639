"""What the console shows: exact pictures at 80 columns, and what holds for every result."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.durations import Durations, OwnDelay
from cannon.errors import Fault
from cannon.plan import Stop, Target
from cannon.reports.console import header, render
from cannon.reports.terminal import Terminal
from cannon.result import Result, Validity, Worker
from cannon.tally import Histogram, Row
from cannon.tls import Tls
from tests.results import a_failing_tally, a_plan, a_result, a_tally, an_empty_tally

PAGE = Terminal()
HOSTILE_TEXT = "[/red] \x1b[31mred\x1b[0m\x1b]0;title\x07\r\nsecond line \u202eidib"

PLAIN = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    400 µs   1.40 ms   2.28 ms   523 µs   650 µs  33.4 ms

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec           833       833     1,000     1,167    1,000      118      833
Bytes/Sec      148 kB    148 kB    178 kB    208 kB   178 kB  21.0 kB   148 kB

rates are of 10 samples, one every 1 s

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

10,000 requests in 10.00 s, 1.8 MB read
"""

FAILING = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    401 µs   1.61 ms  ~3.80 ms  60.8 ms   774 ms   10.0 s

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec            82        82        99       115       99     11.7       82
Bytes/Sec     14.7 kB   14.7 kB   17.6 kB   20.6 kB  17.6 kB   2.1 kB  14.7 kB

~ fewer than 20 samples lie beyond this value
rates are of 10 samples, one every 1 s

Code           Count
────────────────────
200              963
404               20
503                7

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

HOSTILE = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    401 µs   1.61 ms  ~3.80 ms  60.8 ms   774 ms   10.0 s

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec            82        82        99       115       99     11.7       82
Bytes/Sec     14.7 kB   14.7 kB   17.6 kB   20.6 kB  17.6 kB   2.1 kB  14.7 kB

~ fewer than 20 samples lie beyond this value
rates are of 10 samples, one every 1 s

Code           Count
────────────────────
200              963
404               20
503                7

Error             Count  First example
────────────────────────────────────────────────────────────────────────────────
connect: refused     13  127.0.0.1:4000 refused the connection
timeout               6  no response within 10 s
reset                 2  [/red] \\x1b[31mred\\x1b[0m\\x1b]0;title\\x07\\r\\nsecond
                         line \\u202eidib

963 2xx responses, 27 non 2xx responses
3 responses did not match what was expected
1 response came that no request had asked for
sent 1,000 = 990 completed + 8 failed + 2 in flight (the oldest for 2.34 s)
connects 25 = 12 made + 13 failed
1,000 requests in 10.00 s, 176 kB read
"""

OVER_TLS = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Latency        334 µs    400 µs   1.40 ms   2.28 ms   523 µs   650 µs  33.4 ms

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec           833       833     1,000     1,167    1,000      118      833
Bytes/Sec      148 kB    148 kB    178 kB    208 kB   178 kB  21.0 kB   148 kB

rates are of 10 samples, one every 1 s

the busiest connection got 1,204 responses, the idlest 0
TLSv1.3, TLS_AES_256_GCM_SHA384: 10 connections, 9 of them resumed
TLS was not verified (-k)
10,000 requests in 10.00 s, 1.8 MB read
"""

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
}
every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)


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


def test_text_of_a_hostile_server() -> None:
    assert render(RESULTS["hostile"], PAGE) == HOSTILE


@every_result
def test_without_colour_there_is_no_escape_sequence(result: Result) -> None:
    text = render(result, PAGE, latency=True, status_codes=True)
    assert [character for character in text if unicodedata.category(character).startswith("C")] == [
        "\n"
    ] * text.count("\n")


@every_result
def test_colour_says_nothing_that_words_do_not(result: Result) -> None:
    coloured = render(result, Terminal(ansi=True), latency=True, status_codes=True)
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).split("\n"))
    assert plain == render(result, PAGE, latency=True, status_codes=True)


@every_result
def test_colours_are_those_that_dark_and_light_terminals_show(result: Result) -> None:
    coloured = render(result, Terminal(ansi=True), latency=True, status_codes=True)
    codes = {code for found in re.findall(r"\x1b\[([0-9;]*)m", coloured) for code in found.split(";")}
    assert codes <= {"0", "1", "2", "31", "32", "36"}


@every_result
def test_an_ascii_terminal_gets_ascii(result: Result) -> None:
    assert render(result, Terminal(unicode=False), latency=True).isascii()


@every_result
def test_a_narrow_terminal_never_costs_a_figure(result: Result) -> None:
    assert render(result, Terminal(columns=20)) == render(result, PAGE)


def test_a_saved_result_is_not_trusted_either() -> None:
    result = a_result(
        status={HOSTILE_TEXT: 1},
        errors={HOSTILE_TEXT: 1},
        error_examples={HOSTILE_TEXT: HOSTILE_TEXT},
        interrupted=HOSTILE_TEXT,
        validity=Validity(HOSTILE_TEXT, [HOSTILE_TEXT]),
        plan=a_plan(title=HOSTILE_TEXT),
    )
    connects = msgspec.structs.replace(result.connects, negotiated={HOSTILE_TEXT: 1})
    text = render(msgspec.structs.replace(result, connects=connects), PAGE)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("[/red]") == 8


def test_one_2xx_status_needs_no_table_unless_asked_for() -> None:
    assert "Code" not in render(RESULTS["plain"], PAGE)
    assert "Code           Count\n" in render(RESULTS["plain"], PAGE, status_codes=True)


@pytest.mark.parametrize("status", [304, 503])
def test_a_status_that_is_not_2xx_always_has_its_table(status: int) -> None:
    assert f"{status}                7\n" in render(
        a_result(tally=a_tally([1_000_000] * 7, status={status: 7})), PAGE
    )


def test_without_tables_the_lines_stay() -> None:
    text = render(RESULTS["failing"], PAGE, tables=False)
    assert "Latency" not in text
    assert text.startswith("963 2xx responses")


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


def test_under_a_rate_response_service_and_lateness_stand_apart() -> None:
    late = Durations.of(Histogram.of(*[30_000] * 1_000))
    text = render(a_result(late_ms=late, service_ms=late), PAGE, latency=True)
    assert [line.split()[0] for line in text.splitlines()[2:5]] == ["Latency", "Service", "Late"]
    assert "Percentile   Latency   Service\n" in text


@given(
    durations_ns=st.lists(st.integers(min_value=0, max_value=10**12), max_size=40),
    statuses=st.dictionaries(st.integers(min_value=200, max_value=999), st.integers(1, 10**9), max_size=4),
    window_ns=st.integers(min_value=0, max_value=10**13),
    requests=st.integers(min_value=0, max_value=10**10),
    received_bytes=st.integers(min_value=0, max_value=10**15),
    message=st.text(max_size=300),
)
@settings(max_examples=15, deadline=None)
def test_every_result_fits_80_columns_and_shows_figures_or_nothing(
    durations_ns: list[int],
    statuses: dict[int, int],
    window_ns: int,
    requests: int,
    received_bytes: int,
    message: str,
) -> None:
    row = Row(window_ns=window_ns, requests=requests, received_bytes=received_bytes)
    tally = a_failing_tally({Fault.RESET: message})
    changes: dict[str, Any] = {"status": statuses, "row": row, "whole": Histogram.of(*durations_ns)}
    tally = msgspec.structs.replace(tally, **changes)
    text = render(a_result(tally=tally, duration_ns=window_ns), PAGE, latency=True)
    assert max(map(columns_of, text.splitlines())) <= 80
    figures = text.split("Error ")[0]
    assert not re.search(r"nan|inf|None|(?<![\d.])0 ms", figures)


def columns_of(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def test_the_header_says_what_is_about_to_be_fired() -> None:
    assert said(a_plan()) == "Running 10s test @ http://localhost:4000/\n10 connections\n\n"


def test_the_header_of_a_run_by_amount_with_workers() -> None:
    plan = a_plan(stop=Stop(amount=1_000), connections=2, workers=2)
    assert said(plan) == "Running 1,000 requests test @ http://localhost:4000/\n2 connections\n2 workers\n\n"


def test_the_header_keeps_secrets_and_cuts_a_long_list() -> None:
    plan = a_plan(
        targets=tuple(Target.parse(f"http://user:secret@localhost:{port}/") for port in range(1, 6))
    )
    first = said(plan).splitlines()[0]
    assert "secret" not in first
    assert first.endswith(" and 2 more")


def said(plan: Any) -> str:
    stream = io.StringIO()
    header(plan, stream)
    return stream.getvalue()


def test_rich_is_not_loaded_before_there_is_something_to_draw() -> None:
    program = (
        "import sys, cannon.reports.console, cannon.reports.live, cannon.reports.files;"
        "sys.exit('rich' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


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
