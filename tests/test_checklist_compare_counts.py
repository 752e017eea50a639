"""`cannon compare` against what servers counted: what it tells of a side is what that server was asked, no more and no
less. Each test is a promise, and the comparison is as a user makes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from cannon.comparison import Comparison
from cannon.rounds import Pass
from tests.comparing import orders_of, run_compare, slots_of, sound, told
from tests.servers.certificates import Certificates
from tests.servers.real import HAProxy, Nginx, Node, Secure, Visit
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)


class Counted(NamedTuple):
    """A comparison, and the lines of each side's access log."""

    comparison: Comparison
    visits: dict[str, list[Visit]]


# Both passes, at two servers of one kind.


@pytest.fixture(scope="module")
def both_passes() -> Counted:
    """A round of each pass, of three connections, at 200 requests a second; longer warmed up than measured."""
    with Nginx() as one, Nginx() as other:
        options = ("-c", "3", "-d", "0.1", "--rounds", "1", "--rate", "200", "-W", "0.2")
        comparison = sound(run_compare(*options, f"one={one.url()}", f"other={other.url()}"))
        return Counted(comparison, {"one": one.visits(), "other": other.visits()})


def test_a_side_was_sent_what_its_server_counted(both_passes: Counted) -> None:
    comparison, visits = both_passes
    for name in ("one", "other"):
        assert told(comparison, name) == len(visits[name]) > 0
        assert Counter(visit.status for visit in visits[name]) == {200: len(visits[name])}


def test_every_round_has_a_slot_of_every_side_in_both_passes(both_passes: Counted) -> None:
    rounds = both_passes.comparison.rounds
    assert [(each.of, each.number) for each in rounds] == [(Pass.CAPACITY, 1), (Pass.LATENCY, 1)]
    for each in rounds:
        assert sorted(each.slots) == sorted(each.order) == ["one", "other"]


def test_a_warm_up_is_in_no_figure(both_passes: Counted) -> None:
    for name in ("one", "other"):
        for slot in slots_of(both_passes.comparison, name):
            assert slot.sent == slot.completed == slot.count == slot.latency.count
            assert slot.status == {"200": slot.completed}
        slots = slots_of(both_passes.comparison, name, Pass.LATENCY)
        # It lasts twice as long as what is measured, and at a rate so many more are sent.
        assert sum(slot.outside for slot in slots) > sum(slot.sent for slot in slots)


def test_both_sides_are_fired_at_the_rate_that_was_given(both_passes: Counted) -> None:
    rate = both_passes.comparison.rate
    assert rate is not None
    assert (rate.per_s, rate.asked, rate.reason) == (200, 200, "as asked")
    for name in ("one", "other"):
        assert [slot.due for slot in slots_of(both_passes.comparison, name, Pass.CAPACITY)] == [None]
        dues = [slot.due or 0 for slot in slots_of(both_passes.comparison, name, Pass.LATENCY)]
        # 20 in a tenth of a second; what a busy machine leaves over from the warm-up comes on top.
        assert 10 < sum(dues) < 30, dues


# Workers, TLS and servers of other kinds.


@pytest.fixture(scope="module")
def secured(certificates: Certificates) -> Counted:
    """In the clear against TLS, with two workers."""
    with Nginx() as plain, Nginx(secure=Secure(certificates.server)) as tls:
        options = ("-w", "2", "-c", "4", "-d", "0.2", "--rounds", "2", "-R", "100", "--ca", certificates.ca)
        comparison = sound(run_compare(*options, f"plain={plain.url()}", f"tls={tls.url()}"))
        return Counted(comparison, {"plain": plain.visits(), "tls": tls.visits()})


def test_nothing_is_lost_among_workers_nor_in_handshakes(secured: Counted) -> None:
    comparison, visits = secured
    for name in ("plain", "tls"):
        assert told(comparison, name) == len(visits[name])
        assert [slot.made for slot in slots_of(comparison, name)] == [4, 4]


def test_two_workers_fire_at_one_rate_and_not_each_at_it(secured: Counted) -> None:
    for name in ("plain", "tls"):
        dues = [slot.due or 0 for slot in slots_of(secured.comparison, name)]
        # 10 in a tenth of a second; what a busy machine leaves over from the warm-up comes on top.
        assert 10 < sum(dues) < 30, dues


def test_https_against_http_is_what_is_under_test_and_tells_its_handshakes(secured: Counted) -> None:
    comparison, visits = secured
    assert comparison.equivalence.same
    assert comparison.equivalence.allowed == ["tls has TLSv1.3, plain none"]
    plain, tls = comparison.handshakes
    assert (plain.side, plain.fresh_ms, plain.resumed_ms) == ("plain", None, None)
    assert tls.side == "tls"
    for found in (plain.connect_ms, tls.connect_ms, tls.fresh_ms, tls.resumed_ms):
        assert found is not None and found.estimate > 0
    for slot in slots_of(comparison, "tls"):
        assert [agreed.partition(" ")[0] for agreed in slot.negotiated] == ["TLSv1.3"]
        assert sum(slot.negotiated.values()) == slot.made
    # In each of the two rounds 16 that are fresh, and 16 of which all but the first resume a session.
    first = Counter(visit.resumed for visit in visits["tls"] if visit.ordinal == 1)
    assert first[True] == 2 * 15
    assert first[False] >= 2 * (16 + 1)


def test_each_of_three_sides_is_fired_in_every_round_and_set_against_the_first() -> None:
    with Nginx() as nginx, HAProxy(nginx.url()) as haproxy, Node() as node:
        # A connection that is closed unused counts as a request at HAProxy: one alone is always used.
        options = ("-c", "1", "-d", "0.3", "--rounds", "3", "-R", "60")
        sides = {"nginx": nginx.url(), "haproxy": haproxy.url(), "node": node.url()}
        comparison = sound(run_compare(*options, *(f"{name}={url}" for name, url in sides.items())))
        sent = {name: told(comparison, name) for name in sides}
        assert haproxy.count() == sent["haproxy"]
        assert nginx.count() == sent["nginx"] + sent["haproxy"]
        assert node.count() == sent["node"]
    assert {(row.side, row.base) for row in comparison.rows} == {("haproxy", "nginx"), ("node", "nginx")}
    places = zip(*orders_of(comparison, Pass.LATENCY), strict=True)
    assert [sorted(place) for place in places] == [sorted(sides)] * 3, "each once in each place"


# The common rate, and connections.


@pytest.fixture(scope="module")
def unlike() -> Iterator[tuple[Comparison, Rude]]:
    """A side that takes 4 ms and one that takes 20, on two connections, at the rate that is found; and their server."""
    with Rude() as rude:
        options = ("-c", "2", "-d", "0.1", "--rounds", "1", "--rate", "auto")
        sides = (f"fast={rude.url('/slow/4')}", f"slow={rude.url('/slow/20')}")
        yield sound(run_compare(*options, *sides)), rude


def test_the_rate_that_is_found_is_half_of_what_the_slowest_can_take(unlike: tuple[Comparison, Rude]) -> None:
    comparison, rude = unlike
    capacities = {name: slots_of(comparison, name, Pass.CAPACITY)[0].rps or 0 for name in ("fast", "slow")}
    slowest = min(capacities, key=lambda name: capacities[name])
    rate = comparison.rate
    assert rate is not None and rate.asked is None
    assert rate.reason == f"50 % of the capacity of the slowest side, {slowest}"
    assert rate.per_s == pytest.approx(capacities[slowest] / 2, rel=0.01), "cut to three digits"
    assert rate.per_s <= capacities[slowest] / 2
    assert rude.per_path == {"/slow/4": told(comparison, "fast"), "/slow/20": told(comparison, "slow")}


def test_each_slot_has_connections_of_its_own(unlike: tuple[Comparison, Rude]) -> None:
    comparison, rude = unlike
    for name in ("fast", "slow"):
        assert [(slot.made, slot.reconnects) for slot in slots_of(comparison, name)] == [(2, 0), (2, 0)]
    # Of each pass two slots of a side, one of them thrown away; it was greeted once and probed twice.
    accepted = 2 * (2 * 2 * 2 + 3)
    rude.wait_for(lambda seen: seen.accepted >= accepted)
    assert rude.accepted == accepted
