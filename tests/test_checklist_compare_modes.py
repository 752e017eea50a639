"""What `cannon compare` can be a comparison of: codings, a forward proxy, sides with settings of their own; and what
may differ by leave. What was sent is what the servers saw.
"""

from __future__ import annotations

import gzip
import http.client
from collections import Counter
from contextlib import closing

import pytest

from cannon.rounds import Mode
from tests.comparing import comparison_of, run_compare, slots_of, sound, told
from tests.servers.ports import HOST
from tests.servers.proxies import HttpProxy, Socks5Proxy
from tests.servers.real import Nginx, Node
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

ONCE = ("-c", "2", "-d", "0.1", "--rounds", "1", "-R", "100")
"""One slot of each side, after one that is thrown away: enough for whatever needs no interval."""


def fetched(port: int, path: str, coding: str) -> bytes:
    """The body that a server sends to who asks for a coding, as it comes."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection:
        connection.request("GET", path, headers={"Accept-Encoding": coding})
        return connection.getresponse().read()


# Codings.


def test_a_coding_is_told_in_the_very_bytes_that_the_server_sends() -> None:
    with Nginx() as nginx:
        plain, packed = (fetched(nginx.port, "/file", coding) for coding in ("identity", "gzip"))
        comparison = sound(run_compare(*ONCE, "--compression", "gzip", nginx.url("/file")))
        counted = nginx.count() - 2
    assert gzip.decompress(packed) == plain and len(packed) < len(plain)
    assert comparison.mode == Mode.COMPRESSION
    found = comparison.compression
    assert found is not None
    assert found.wire_bytes == {"identity": len(plain), "gzip": len(packed)}
    assert found.decoded_bytes == {"identity": len(plain), "gzip": len(plain)}
    assert found.ratio == {"gzip": pytest.approx(len(plain) / len(packed))}
    assert comparison.equivalence.same
    assert comparison.equivalence.allowed == ["gzip sends gzip, identity no Content-Encoding"]
    assert counted == told(comparison, "identity") + told(comparison, "gzip")


def test_every_coding_is_a_side_that_asks_for_it_alone(rude: Rude) -> None:
    # No coding ever comes from this server, which keeps what it was asked.
    comparison_of(run_compare(*ONCE, "--compression", "gzip,deflate", rude.url()))
    asked = Counter(tuple(request.values("Accept-Encoding")) for request in rude.received)
    assert set(asked) == {("identity",), ("gzip",), ("deflate",)}


@pytest.mark.parametrize(("codings", "unknown"), [("br", "br"), ("gzip,zstd", "zstd")])
def test_a_coding_that_the_server_does_not_know_is_no_comparison(codings: str, unknown: str) -> None:
    with Nginx() as nginx:
        process = run_compare(*ONCE, "--compression", codings, nginx.url("/file"))
        comparison = comparison_of(process)
        names = [side.name for side in comparison.sides]
        assert nginx.count() == sum(told(comparison, name) for name in names)
    assert names == ["identity", *codings.split(",")]
    assert (process.returncode, comparison.rounds) == (3, [])
    (difference,) = comparison.equivalence.differences
    assert difference.startswith(
        f"{unknown} was asked for, and no Content-Encoding came; does the server know it"
    )
    assert process.stderr.splitlines()[-1] == f"cannon: invalid: {difference}"


# Ways.


def test_a_proxy_is_gone_through_by_one_side_alone(rude: Rude) -> None:
    with HttpProxy() as proxy:
        comparison = sound(run_compare(*ONCE, "--proxy", proxy.url(), rude.url()))
        assert proxy.requests == told(comparison, "proxy")
    assert (comparison.mode, [side.name for side in comparison.sides]) == (Mode.PROXY, ["direct", "proxy"])
    assert rude.requests == told(comparison, "direct") + told(comparison, "proxy")


def test_one_of_the_named_sides_may_go_through_a_proxy_of_its_own(rude: Rude) -> None:
    with Socks5Proxy() as proxy:
        own = ("--side", "[", "b", "--proxy", proxy.url(), "]")
        comparison = sound(run_compare(*ONCE, f"a={rude.url('/ok/a')}", f"b={rude.url('/ok/b')}", *own))
        # A tunnel for each connection: two of each of two slots, a greeting and two probes.
        assert proxy.tunnels == 2 * 2 + 3
    assert rude.per_path == {"/ok/a": told(comparison, "a"), "/ok/b": told(comparison, "b")}


# Sides with settings of their own.


def test_headers_of_all_sides_and_of_one_reach_the_server_as_they_were_given(rude: Rude) -> None:
    words = (
        "-H",
        "X-All: 1",
        "-H",
        "X-Which: any",
        "--side",
        "[",
        "b",
        "-H",
        "X-Which: b",
        "-H",
        "X-Own: 2",
        "]",
    )
    comparison = sound(run_compare(*ONCE, *words, f"a={rude.url('/ok/a')}", f"b={rude.url('/ok/b')}"))
    seen = Counter(
        (request.target, *(tuple(request.values(name)) for name in ("X-All", "X-Which", "X-Own")))
        for request in rude.received
    )
    assert seen == {
        ("/ok/a", ("1",), ("any",), ()): told(comparison, "a"),
        ("/ok/b", ("1",), ("b",), ("2",)): told(comparison, "b"),
    }


# What may differ.


def test_what_is_allowed_is_compared_all_the_same_and_told(rude: Rude) -> None:
    paths = {"a": "/length/5", "b": "/status/301"}
    sides = [f"{name}={rude.url(path)}" for name, path in paths.items()]
    comparison = sound(run_compare(*ONCE, "--allow", "status,body", *sides))
    assert comparison.equivalence.same and not comparison.equivalence.differences
    status, body, *rounds = comparison.equivalence.allowed
    assert status == "b answers 301, a 200"
    assert body.startswith("the bodies of b and a differ (0 bytes, ")
    assert "in the latency pass b answers 301 to 100 % of its requests, a to 0 %" in rounds
    assert [each.number for each in comparison.rounds] == [1]
    assert rude.per_path == {path: told(comparison, name) for name, path in paths.items()}


def test_a_status_that_is_no_success_is_told_though_it_may_differ(rude: Rude) -> None:
    sides = (f"a={rude.url('/status/200')}", f"b={rude.url('/status/404')}")
    process = run_compare(*ONCE, "--allow", "status", *sides)
    assert process.returncode == 3
    assert process.stderr.splitlines()[-1] == (
        "cannon: invalid: the latency pass has no whole round; at last 'b' failed: no request succeeded"
        " (every response had status 404; --expect-status says what counts as success)"
    )


def test_codings_of_named_sides_differ_by_leave() -> None:
    with Node() as node:
        own = ("--side", "[", "packed", "-H", "Accept-Encoding: gzip", "]")
        sides = (f"plain={node.url('/gzip')}", f"packed={node.url('/gzip')}")
        comparison = sound(run_compare(*ONCE, "--allow", "encoding", *own, *sides))
        assert node.count() == told(comparison, "plain") + told(comparison, "packed")
    assert comparison.equivalence.allowed == ["packed sends gzip, plain no Content-Encoding"]
    plain, packed = (slots_of(comparison, name)[0].body_bytes_per_response for name in ("plain", "packed"))
    assert plain is not None and packed is not None and packed < plain
