"""Faults as a user meets them: the exit code, the result on standard output, the line on standard error."""

from __future__ import annotations

import time

import pytest

from tests.firing import result_of, run_cli
from tests.servers.ports import HOST, reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)


def one_line(text: str) -> bool:
    """Whether it is a single line that a terminal can only print."""
    return text.endswith("\n") and text[:-1].isprintable()


@pytest.mark.parametrize(
    ("path", "code", "errors"),
    [
        ("/ok", 0, {}),
        ("/close", 3, {"empty_reply": 6}),
        ("/truncate/body", 3, {"truncated": 6}),
        ("/reset/body", 3, {"reset": 6}),
        ("/stall", 3, {"timeout": 6}),
        ("/hostile-error", 3, {"malformed": 6}),
        ("/head/endless/lines", 3, {"head_too_large": 6}),
        ("/status/500", 3, {}),
    ],
)
def test_the_exit_code_says_whether_anything_succeeded(
    rude: Rude, path: str, code: int, errors: dict[str, int]
) -> None:
    process = run_cli("-j", "--no-preflight", "-a", "6", "-c", "2", "-t", "300ms", rude.url(path))
    assert process.returncode == code, process.stderr
    result = result_of(process)
    requests = result.requests
    assert result.errors == errors
    assert (requests.sent, requests.in_flight) == (6, 0)
    assert (
        requests.sent == requests.completed + requests.failed == sum(result.status.values()) + requests.failed
    )
    assert result.latency_ms.count == requests.completed + errors.get("timeout", 0)
    assert (result.outside.preflight, result.outside.warmup) == (0, 0)
    assert rude.requests == 6
    assert "Traceback" not in process.stderr
    assert "\x1b" not in process.stdout + process.stderr


def test_faults_beside_successes_do_not_make_a_run_invalid(rude: Rude) -> None:
    process = run_cli("-j", "--no-preflight", "-a", "9", "-c", "1", rude.url("/after/2/close"))
    result = result_of(process)
    assert process.returncode == 0, process.stderr
    assert result.validity.verdict != "invalid"
    assert (result.status, result.errors) == ({"200": 6}, {"stale": 3})
    assert result.requests.sent == rude.requests == 9


def test_no_response_at_all_leaves_null_where_there_is_nothing_to_tell(rude: Rude) -> None:
    process = run_cli("-j", "--no-preflight", "-d", "300ms", "-c", "2", rude.url("/close"))
    result = result_of(process)
    assert process.returncode == 3
    assert result.latency_ms.count == 0
    assert (result.latency_ms.p50, result.latency_ms.mean, result.latency_ms.min) == (None, None, None)
    assert result.validity.verdict == "invalid"
    assert "closed before any byte" in result.error_examples["empty_reply"]
    assert result.requests.sent == result.errors["empty_reply"] == rude.requests
    assert "NaN" not in process.stdout
    assert "Infinity" not in process.stdout


@pytest.mark.parametrize("path", ["/close", "/stall", "/garbage/tls", "/hostile-error"])
def test_a_preflight_that_gets_no_response_says_why_in_one_line(rude: Rude, path: str) -> None:
    process = run_cli("-j", "-d", "10", "-t", "300ms", rude.url(path))
    assert process.returncode == 3
    assert rude.requests == 1
    assert str(rude.port) in process.stderr
    assert one_line(process.stderr), process.stderr


def test_a_port_that_refuses_ends_a_run_before_it_begins() -> None:
    with reserved_port() as port:
        began_s = time.monotonic()
        process = run_cli("-j", "-d", "10", f"http://{HOST}:{port}/")
        assert time.monotonic() - began_s < 5
    assert process.returncode == 3
    assert "refused" in process.stderr
    assert str(port) in process.stderr
    assert one_line(process.stderr), process.stderr


def test_a_port_that_refuses_all_the_while_is_an_invalid_run() -> None:
    with reserved_port() as port:
        process = run_cli("-j", "--no-preflight", "-d", "500ms", "-c", "4", f"http://{HOST}:{port}/")
    result = result_of(process)
    assert process.returncode == 3
    assert result.requests.sent == 0
    assert result.connects.errors == {"refused": result.connects.failed}
    assert 4 <= result.connects.attempted <= 4 * 30
    assert result.latency_ms.p50 is None
