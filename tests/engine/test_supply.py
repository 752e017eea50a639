"""Never more is taken than the limit, and what was taken is what was sent, but for what is held."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.supply import Prepared, Shot, Supply, Walk, identities
from cannon.request import ID_BYTES, Request

ONE, TWO = Request("GET", b"0123456789"), Request("GET", b"01234")


def test_what_was_taken_is_what_was_sent() -> None:
    supply = Supply(5, Prepared(ONE, 0))
    assert list(islice(supply.tickets, 2)) == [ONE.data] * 2
    assert (supply.sent, supply.sent_bytes) == (2, 20)
    assert len(list(supply.tickets)) == 3
    assert (supply.sent, supply.sent_bytes) == (5, 50)


def test_what_is_held_is_not_sent_yet() -> None:
    prepared = Prepared(ONE, 0)
    supply = Supply(None, prepared)
    shot = Shot(next(supply.tickets), prepared)
    supply.hold(shot)
    assert (supply.sent, supply.sent_bytes) == (0, 0)
    supply.release(shot)
    supply.unsent_bytes = 4
    assert (supply.sent, supply.sent_bytes) == (1, 6)


@given(st.integers(0, 40), st.lists(st.integers(0, 2), max_size=60))
def test_however_many_walk_they_take_the_limit_together(limit: int, order: list[int]) -> None:
    first, second = Prepared(ONE, 0), Prepared(TWO, 1)
    supply = Supply(limit, first)
    walks = [Walk(supply, [first, second], iter(())) for _ in range(3)]
    taken = [data for place in order for data in islice(walks[place], 1)]
    assert supply.sent == len(taken) == min(limit, len(order))
    assert supply.sent_bytes == sum(map(len, taken))


def test_a_walk_goes_round_and_tells_of_which_kind_each_was() -> None:
    first, second = Prepared(ONE, 0), Prepared(TWO, 1)
    walk = Walk(Supply(None, first), [first, second], iter(()))
    seen = [(next(walk), walk.feed.prepared.step) for _ in range(3)]
    assert seen == [(ONE.data, 0), (TWO.data, 1), (ONE.data, 0)]
    assert not walk.feed.uniform


def test_each_request_with_places_for_an_id_has_one_of_its_own() -> None:
    request = Request("GET", b"a" + b"." * ID_BYTES + b"b", pieces=(b"a", b"b"))
    prepared = Prepared(request, 0)
    supply = Supply(3, prepared)
    walk = Walk(supply, [prepared], identities(7, 0))
    sent = list(walk)
    assert len(set(sent)) == 3
    assert {len(data) for data in sent} == {len(request.data)}
    assert supply.sent_bytes == 3 * request.total_bytes
    assert walk.feed.uniform


def test_ids_of_all_shards_and_runs_are_different_and_equally_long() -> None:
    made = [
        ident for run in (1, 2) for shard in (0, 1, 65_535) for ident in islice(identities(run, shard), 100)
    ]
    assert len(set(made)) == 600
    assert {len(ident) for ident in made} == {ID_BYTES}
