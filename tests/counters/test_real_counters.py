"""The real proxies: what they count of themselves is what cannon says that it sent."""

from __future__ import annotations

from cannon.counters import NATURES, Nature
from cannon.result import Result
from tests.counters.telling import Figures, TellingHAProxy, TellingNginx, settled
from tests.firing import conserved, fire_at, result_of, run_cli, start_cli
from tests.servers.real import Nginx


def sent(result: Result) -> int:
    """All that was ever sent, off the clock as well."""
    return result.requests.sent + result.outside.preflight


def test_haproxy_counts_what_a_run_sent() -> None:
    with Nginx(upstream_http="1.1") as origin, TellingHAProxy(origin.url()) as proxy:
        result = result_of(run_cli("-j", "-a", "60", "-c", "3", proxy.url()))
        expected = sent(result)
        told = settled(proxy.told, lambda now: now["back/upstream"]["hrsp_2xx"] == expected)
        assert origin.count() == expected
    assert list(told) == ["process", "front", "back/upstream", "back"]
    front, back, server = told["front"], told["back"], told["back/upstream"]
    assert expected == 61
    assert front["stot"] == result.connects.made + 1
    assert front["req_tot"] == back["req_tot"] == server["req_tot"] == expected
    assert front["hrsp_2xx"] == back["hrsp_2xx"] == server["hrsp_2xx"] == expected
    assert back["connect"] + back["reuse"] == expected
    assert 0 <= told["process"]["idle_pct"] <= 100


def test_haproxy_counts_the_bytes_that_were_sent_and_received() -> None:
    with Nginx() as origin, TellingHAProxy(origin.url()) as proxy:
        tally = fire_at(proxy.url("/file"), amount=40, connections=2)
        told = settled(proxy.told, lambda now: now["front"]["hrsp_2xx"] == tally.sent)
    assert conserved(tally) and tally.sent == 40
    assert told["front"]["h1_bytes_in"] == tally.sent_bytes
    assert told["front"]["h1_bytes_out"] == tally.received_bytes
    assert told["front"]["bout_bytes"] >= tally.received_body_bytes


def test_haproxy_counts_what_found_no_server() -> None:
    with Nginx() as origin:
        proxy = TellingHAProxy(origin.url())
    with proxy:
        tally = fire_at(proxy.url(), amount=2, connections=2)
        told = settled(proxy.told, lambda now: now["front"]["hrsp_5xx"] == tally.sent)
    assert tally.status == {503: 2}
    assert told["back"]["econ"] == told["front"]["hrsp_5xx"] == 2
    assert told["back/upstream"]["wretr"] == 6


def test_haproxy_can_be_read_while_a_run_goes_on() -> None:
    with Nginx() as origin, TellingHAProxy(origin.url()) as proxy:
        run = start_cli("-j", "-d", "1", "-c", "4", proxy.url())
        with run:
            first = settled(proxy.told, lambda now: now["front"]["req_tot"] > 100)
            second = settled(proxy.told, lambda now: now["front"]["req_tot"] > first["front"]["req_tot"])
            assert run.poll() is None
            result = Result.from_json(run.communicate(timeout=30)[0].encode())
        last = settled(proxy.told, lambda now: now["front"]["hrsp_2xx"] == sent(result))
    assert grew(first, second) and grew(second, last)
    assert last["front"]["req_tot"] == sent(result)


def grew(earlier: Figures, later: Figures) -> bool:
    """Whether no count is less than it was, and requests are more."""
    return later["front"]["req_tot"] > earlier["front"]["req_tot"] and all(
        later[of][name] >= number
        for of, figures in earlier.items()
        for name, number in figures.items()
        if NATURES[name] in {Nature.COUNT, Nature.PEAK}
    )


def test_nginx_counts_what_a_run_sent_and_the_reading_itself() -> None:
    with TellingNginx() as nginx:
        before = nginx.told()
        result = result_of(run_cli("-j", "-a", "60", "-c", "3", nginx.url()))
        after = nginx.told()
        assert nginx.count() == sent(result) == 61
    assert before["requests"] == before["active"] == before["writing"] == 1
    assert after["requests"] - before["requests"] == sent(result) + 1
    assert after["accepts"] - before["accepts"] == result.connects.made + 1 + 1
    assert after["handled"] == after["accepts"]
