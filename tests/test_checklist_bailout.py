"""A run that is ended by its errors (-B): at the very one with one worker, within 100 ms with more, and reported."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cannon.errors import Fault
from cannon.plan import Limits
from cannon.result import Result
from cannon.tally import Tally
from cannon.validity import bailing
from tests.firing import conserved, fire_at, result_of, run_cli
from tests.servers.ports import reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)


def bailed_out(server: Rude, path: str, errors: int, **settings: Any) -> Tally:
    """What became of a long run that ends after so many errors."""
    given: dict[str, Any] = {"duration_s": 20, "timeout_s": 0.1, "connections": 4, **settings}
    return fire_at(server.url(path), limits=Limits(bailout=errors), **given)


@pytest.mark.parametrize(
    "path", ["/close", "/reset", "/garbage/text", "/truncate/body", "/after/2/close", "/stall"]
)
@pytest.mark.parametrize("pipelining", [1, 5])
@pytest.mark.parametrize("errors", [1, 3])
def test_one_worker_stops_at_the_very_error(rude: Rude, path: str, pipelining: int, errors: int) -> None:
    tally = bailed_out(rude, path, errors, pipelining=pipelining)
    assert tally.bailed_out == 1
    assert tally.failed - tally.errors.get(Fault.ABORTED, 0) == errors
    assert conserved(tally)
    rude.wait_for(lambda seen: seen.requests >= tally.sent)


@pytest.mark.parametrize(("path", "pipelining"), [("/ok", 1), ("/ok", 5), ("/excess/response", 5)])
@pytest.mark.parametrize("errors", [1, 3])
def test_mismatched_bodies_feed_it_and_none_counts_behind_the_last(
    rude: Rude, path: str, pipelining: int, errors: int
) -> None:
    # The last path has two answers in one read.
    tally = bailed_out(rude, path, errors, expect_body=b"other", pipelining=pipelining)
    assert (tally.bailed_out, tally.mismatched, tally.succeeded) == (1, errors, 0)
    assert (tally.completed, tally.failed) == (errors, 0)
    assert conserved(tally)


def test_failed_dials_feed_it() -> None:
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}/"
        tally = fire_at(url, duration_s=20, connections=4, limits=Limits(bailout=2))
    assert (tally.bailed_out, tally.connects_failed, tally.sent) == (1, 2, 0)


def test_under_a_rate_it_ends_there_too_and_what_was_due_by_then_is_told(rude: Rude) -> None:
    process = run_cli(
        "-j", "-R", "100", "-B", "3", "-d", "20", "-c", "2", "--no-preflight", rude.url("/close")
    )
    result = result_of(process)
    requests = result.requests
    assert (process.returncode, requests.failed) == (3, 3)
    assert requests.due == requests.sent + requests.never_sent < 300


def test_fewer_errors_end_nothing(rude: Rude) -> None:
    tally = bailed_out(rude, "/close", 11, amount=10)
    assert (tally.bailed_out, tally.sent, tally.failed) == (0, 10, 10)


# On the command line.


def said(result: Result) -> str:
    """The reason that is about the end of the run."""
    (reason,) = [reason for reason in result.validity.reasons if reason.startswith("the run ended")]
    return reason


def test_the_result_is_still_there_and_the_run_is_no_success(rude: Rude) -> None:
    process = run_cli("-j", "-B", "2", "-d", "20", "-c", "3", "--no-preflight", rude.url("/after/4/close"))
    result = result_of(process)
    assert process.returncode == 3
    assert result.requests.failed == 2
    assert result.requests.completed >= 4
    assert (result.validity.verdict, said(result)) == ("invalid", "the run ended after 2 errors (-B 2)")
    assert result.duration_s < 10


@pytest.mark.parametrize("options", [(), ("--no-preflight",)])
def test_a_refused_port_ends_it_cleanly_at_the_first_dial(options: tuple[str, ...]) -> None:
    with reserved_port() as port:
        process = run_cli("-B", "1", "-d", "20", *options, f"http://127.0.0.1:{port}/")
    assert process.returncode == 3
    assert "Traceback" not in process.stderr
    assert "refused" in (process.stdout + process.stderr).lower()


def test_two_workers_stop_within_a_tenth_of_a_second_and_the_overshoot_is_told(rude: Rude) -> None:
    limit = 60
    options = ("-w", "2", "-B", str(limit), "-d", "20", "-c", "4", "-R", "200", "--no-preflight")
    process = run_cli("-j", *options, rude.url("/close"))
    result = result_of(process)
    errors = result.requests.failed + result.connects.failed
    assert process.returncode == 3
    assert errors >= limit
    came = re.search(r"; (\d+) more came until it had stopped", said(result))
    assert errors - limit == (int(came[1]) if came else 0)
    # As the server saw it: from the error that was one too many to the last request. Processes that share a machine
    # with others may be kept waiting meanwhile, so twice the time is granted.
    stamps = [request.at_ns for request in rude.received]
    assert stamps[-1] - stamps[limit - 1] < 200_000_000


def test_what_ends_a_run_is_no_request_that_was_answered_by_nobody_for_another_ones_fault() -> None:
    tally = Tally(errors={Fault.STALE: 1, Fault.ABORTED: 9}, mismatched=2, connect_errors={Fault.REFUSED: 4})
    assert bailing(tally) == 7
