"""Sides that do not answer the same are told apart in words, and what is under test or allowed does not count."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cannon.equivalence import Equivalence, Probe, beyond_chance, compared, may_be_the_time, over_rounds
from cannon.rounds import Allowed, Mode, Pass
from cannon.slots import Round, Slot
from tests.comparisons import a_comparison_plan, a_round, a_slot

SAME = Equivalence(same=True, differences=[], allowed=[], varies=[])
SECURE: dict[str, Any] = {"tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"}


def a_probe(**changes: Any) -> Probe:
    """An answer of 200 with twelve bytes."""
    found: dict[str, Any] = {
        "status": 200,
        "protocol": "HTTP/1.1",
        "tls": None,
        "cipher": None,
        "encoding": "",
        "wire_bytes": 12,
        "body_bytes": 12,
        "digest": "1a2b3c4d5e6f",
    }
    return Probe(**(found | changes))


def judged(
    direct: Probe | Sequence[Sequence[Probe]], haproxy: Probe | Sequence[Sequence[Probe]], **settings: Any
) -> Equivalence:
    """What is made of two sides: a Probe stands for one step that was answered so twice."""
    probes = {"direct": _twice(direct), "haproxy": _twice(haproxy)}
    return compared(a_comparison_plan(**settings), probes)


def _twice(answer: Probe | Sequence[Sequence[Probe]]) -> Sequence[Sequence[Probe]]:
    return ((answer,), (answer,)) if isinstance(answer, Probe) else answer


# What the probes tell.


def test_sides_that_answer_alike_are_the_same() -> None:
    assert judged(a_probe(), a_probe()) == SAME


@pytest.mark.parametrize(
    ("direct", "haproxy", "words", "kind"),
    [
        ({}, {"status": 404}, "haproxy answers 404, direct 200", "status"),
        ({}, {"protocol": "HTTP/1.0"}, "haproxy speaks HTTP/1.0, direct HTTP/1.1", "tls"),
        (SECURE, SECURE | {"tls": "TLSv1.2"}, "haproxy has TLSv1.2, direct TLSv1.3", "tls"),
        (
            SECURE,
            SECURE | {"cipher": "TLS_AES_128_GCM_SHA256"},
            "haproxy has the cipher TLS_AES_128_GCM_SHA256, direct TLS_AES_256_GCM_SHA384",
            "tls",
        ),
        ({}, {"encoding": "gzip"}, "haproxy sends gzip, direct no Content-Encoding", "encoding"),
        (
            {"body_bytes": 40_120},
            {"body_bytes": 40_123, "digest": "9f8e7d6c5b4a"},
            "the bodies of haproxy and direct differ (40,123 bytes, SHA-256 9f8e7d6c..., against 40,120, 1a2b3c4d...)",
            "body",
        ),
        (
            {"undecodable": "no decoder of br is installed"},
            {"digest": "9f8e7d6c5b4a"},
            "the body of direct cannot be compared: no decoder of br is installed",
            "body",
        ),
        (
            {},
            {"undecodable": "no decoder of br is installed", "digest": "9f8e7d6c5b4a"},
            "the body of haproxy cannot be compared: no decoder of br is installed",
            "body",
        ),
    ],
)
def test_what_differs_is_told_and_counts_until_it_is_allowed(
    direct: dict[str, Any], haproxy: dict[str, Any], words: str, kind: str
) -> None:
    found = judged(a_probe(**direct), a_probe(**haproxy))
    assert found == Equivalence(same=False, differences=[f"{words} (--allow {kind})"], allowed=[], varies=[])
    allowed = judged(a_probe(**direct), a_probe(**haproxy), allowed=frozenset({Allowed(kind)}))
    assert allowed == Equivalence(same=True, differences=[], allowed=[words], varies=[])


def test_what_neither_side_could_be_decoded_of_is_compared_as_it_came() -> None:
    coded = a_probe(encoding="br", undecodable="no decoder of br is installed")
    assert judged(coded, coded).same


def test_http_beside_https_is_what_is_compared() -> None:
    found = judged(a_probe(), a_probe(**SECURE))
    assert found == Equivalence(
        same=True, differences=[], allowed=["haproxy has TLSv1.3, direct none"], varies=[]
    )
    assert judged(a_probe(**SECURE), a_probe()).allowed == ["haproxy has no TLS, direct TLSv1.3"]


def test_the_protocol_counts_beside_tls_too() -> None:
    found = judged(a_probe(), a_probe(**SECURE, protocol="HTTP/1.0"))
    assert found.differences == ["haproxy speaks HTTP/1.0, direct HTTP/1.1 (--allow tls)"]


def test_what_varies_within_a_side_is_told_and_not_compared() -> None:
    wavering = ((a_probe(digest="aa", status=503),), (a_probe(digest="bb"),))
    found = judged(wavering, a_probe(digest="cc"))
    assert found.same
    assert found.varies == [
        "the status of direct varies from one answer to the next, and is not compared",
        "the body of direct varies from one answer to the next, and is not compared",
    ]
    assert judged(a_probe(digest="cc"), wavering).same


def test_each_side_is_set_against_the_first() -> None:
    plan = a_comparison_plan("direct", "haproxy", "nginx")
    probes = {"direct": _twice(a_probe()), "haproxy": _twice(a_probe()), "nginx": _twice(a_probe(status=502))}
    assert compared(plan, probes).differences == ["nginx answers 502, direct 200 (--allow status)"]


def test_of_several_steps_each_is_compared_with_its_own_and_told_once() -> None:
    def steps(login: int, page: int) -> Sequence[Sequence[Probe]]:
        return ((a_probe(step="/login", status=login, digest="aa"), a_probe(step="/page", status=page)),) * 2

    assert judged(steps(302, 200), steps(302, 200)).same
    assert judged(steps(302, 200), steps(302, 404)).differences == [
        "haproxy answers 404, direct 200 (at /page) (--allow status)"
    ]
    assert judged(steps(200, 200), steps(404, 404)).differences == [
        "haproxy answers 404, direct 200 (at /login and 1 more step) (--allow status)"
    ]


def test_bodies_that_differ_between_sides_alone_may_show_the_time() -> None:
    plan = a_comparison_plan()
    first, second = a_probe(digest="10:00:01"), a_probe(digest="10:00:02")
    assert may_be_the_time(plan, {"direct": ((first,),) * 2, "haproxy": ((second,),) * 2})
    # A second later.
    later = {"direct": ((first,), (first,), (second,)), "haproxy": ((second,), (second,), (second,))}
    assert not may_be_the_time(plan, later)
    assert compared(plan, later).same
    assert not may_be_the_time(plan, {"direct": ((first,),), "haproxy": ((first,),)})


def test_another_second_is_not_waited_for_where_it_changes_nothing() -> None:
    differing = {"direct": _twice(a_probe(digest="aa")), "haproxy": _twice(a_probe(digest="bb"))}
    assert not may_be_the_time(a_comparison_plan(allowed=frozenset({Allowed.BODY})), differing)
    other = differing | {"haproxy": _twice(a_probe(digest="bb", status=404))}
    assert not may_be_the_time(a_comparison_plan(), other)
    assert may_be_the_time(a_comparison_plan(allowed=frozenset({Allowed.STATUS})), other)


# Codings.

NONE_CAME = "{} was asked for, and no Content-Encoding came; does the server know it for this path and type?"


def coded(**codings: str) -> Equivalence:
    """What is made of a comparison of codings, whose sides are answered in these."""
    plan = a_comparison_plan(*codings, mode=Mode.COMPRESSION)
    return compared(plan, {name: _twice(a_probe(encoding=coding)) for name, coding in codings.items()})


def test_codings_under_test_are_exempt() -> None:
    found = coded(identity="", gzip="gzip", br="br")
    assert found == Equivalence(
        same=True,
        differences=[],
        allowed=[
            "gzip sends gzip, identity no Content-Encoding",
            "br sends br, identity no Content-Encoding",
        ],
        varies=[],
    )
    assert coded(identity="identity", gzip="x-gzip").same


def test_a_coding_that_never_came_counts() -> None:
    assert coded(identity="", gzip="gzip", br="").differences == [
        f"{NONE_CAME.format('br')} (--allow encoding)",
    ]


@pytest.mark.parametrize(
    ("codings", "words"),
    [
        ({"identity": "gzip", "gzip": "gzip"}, "identity was asked for, and gzip came (--allow encoding)"),
        ({"identity": "", "br": "gzip"}, "br was asked for, and gzip came (--allow encoding)"),
    ],
)
def test_a_coding_that_was_not_asked_for_counts(codings: dict[str, str], words: str) -> None:
    assert coded(**codings).differences == [words]


def test_that_no_coding_came_at_all_is_never_allowed() -> None:
    plan = a_comparison_plan("identity", "gzip", "br", mode=Mode.COMPRESSION, allowed=frozenset(Allowed))
    found = compared(plan, {name: _twice(a_probe()) for name in plan.names})
    assert (found.same, found.differences) == (
        False,
        [NONE_CAME.format("gzip, br")],
    )


def test_a_coding_need_not_come_at_every_step() -> None:
    plan = a_comparison_plan("identity", "gzip", mode=Mode.COMPRESSION)
    page, image = a_probe(step="/page"), a_probe(step="/image")
    zipped = a_probe(step="/page", encoding="gzip")
    assert compared(plan, {"identity": ((page, image),) * 2, "gzip": ((zipped, image),) * 2}).same


def test_bodies_under_different_codings_are_still_compared() -> None:
    plan = a_comparison_plan("identity", "gzip", mode=Mode.COMPRESSION)
    probes = {"identity": _twice(a_probe()), "gzip": _twice(a_probe(encoding="gzip", digest="9f8e7d6c"))}
    assert compared(plan, probes).differences[0].startswith("the bodies of gzip and identity differ")


# What the rounds tell.


def rounds_of(direct: Sequence[Slot], haproxy: Sequence[Slot], of: Pass = Pass.LATENCY) -> list[Round]:
    return [
        a_round(of, number, {"direct": one, "haproxy": other})
        for number, (one, other) in enumerate(zip(direct, haproxy, strict=True), start=1)
    ]


def mixed(statuses: Mapping[str, int], **changes: Any) -> Slot:
    counts: dict[str, Any] = {"status": dict(statuses), "completed": sum(statuses.values())}
    return a_slot(**(counts | changes))


GOOD = mixed({"200": 1000})


def over(rounds: Sequence[Round], before: Equivalence = SAME, **settings: Any) -> Equivalence:
    return over_rounds(a_comparison_plan(**settings), rounds, before)


def test_rounds_that_are_alike_add_nothing() -> None:
    assert over(rounds_of([GOOD] * 10, [GOOD] * 10)) == SAME
    before = Equivalence(same=False, differences=["this"], allowed=["that"], varies=["what varies"])
    assert over(rounds_of([GOOD] * 10, [GOOD] * 10), before) == before
    assert over([]) == SAME


def test_a_status_that_one_side_gives_more_often_counts() -> None:
    limited = mixed({"200": 950, "503": 50})
    found = over(rounds_of([GOOD] * 10, [limited] * 10, Pass.CAPACITY))
    assert found.differences == [
        "in the capacity pass haproxy answers 503 to 5 % of its requests, direct to 0 % (--allow status)",
    ]
    assert over(rounds_of([GOOD] * 10, [limited] * 10), allowed=frozenset({Allowed.STATUS})).same


def test_a_status_that_the_base_gives_more_often_is_told_by_what_comes_instead() -> None:
    limited = mixed({"200": 950, "503": 50})
    assert over(rounds_of([limited] * 10, [GOOD] * 10)).differences == [
        "in the latency pass haproxy answers 200 to 100 % of its requests, direct to 95 % (--allow status)"
    ]


def test_each_pass_is_looked_at_by_itself() -> None:
    limited = mixed({"503": 1000})
    rounds = [*rounds_of([GOOD] * 10, [limited] * 10, Pass.CAPACITY), *rounds_of([GOOD] * 10, [GOOD] * 10)]
    assert all("in the capacity pass" in what for what in over(rounds).differences)
    assert len(over(rounds).differences) == 1


def test_a_share_of_less_than_one_in_a_hundred_does_not_count() -> None:
    failing = mixed({"200": 991_000, "503": 9_000})
    assert over(rounds_of([mixed({"200": 1_000_000})] * 10, [failing] * 10)).same


def test_the_failures_of_one_bad_moment_are_no_difference_between_sides() -> None:
    bad = mixed({"200": 0, "503": 1000})
    assert over(rounds_of([GOOD] * 10, [*[GOOD] * 8, bad, bad])).same


def test_what_differs_by_chance_is_rarely_told() -> None:
    draw = random.Random(5)

    def slot() -> Slot:
        failed = sum(draw.random() < 0.1 for _ in range(50))
        return mixed({"200": 50 - failed, "503": failed})

    found = [over(rounds_of([slot() for _ in range(6)], [slot() for _ in range(6)])) for _ in range(200)]
    assert [equivalence.same for equivalence in found].count(False) == 0


def test_rounds_without_responses_are_left_out() -> None:
    nothing = mixed({})
    assert over(rounds_of([GOOD, nothing], [GOOD, GOOD])).same
    assert over(rounds_of([nothing], [nothing])).same


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ((0, 1000), (50, 1000), True),
        ((0, 50), (1, 50), False),
        ((9_000, 1_000_000), (0, 1_000_000), False),
        ((0, 5), (5, 5), True),
        ((0, 0), (5, 5), False),
    ],
)
def test_shares_differ_by_more_than_chance_and_more_than_one_in_a_hundred(
    first: tuple[int, int], second: tuple[int, int], differ: bool
) -> None:
    assert beyond_chance(first, second) is beyond_chance(second, first) is differ


def test_bodies_of_another_length_count() -> None:
    longer = mixed({"200": 1000}, body_bytes_per_response=15.0)
    found = over(rounds_of([GOOD] * 10, [longer] * 10))
    assert found.differences == [
        "in the latency pass a response of haproxy has 15 bytes of body, of direct 14 (--allow body)"
    ]
    assert over(rounds_of([GOOD] * 10, [longer] * 10), allowed=frozenset({Allowed.BODY})).same


def test_heads_may_be_of_another_length() -> None:
    longer = mixed({"200": 1000}, bytes_per_response=300.0)
    assert over(rounds_of([GOOD] * 10, [longer] * 10)) == SAME


@pytest.mark.parametrize("settings", [{"mode": Mode.COMPRESSION}, {"allowed": frozenset({Allowed.ENCODING})}])
def test_lengths_are_not_looked_at_where_codings_may_differ(settings: dict[str, Any]) -> None:
    shorter = mixed({"200": 1000}, body_bytes_per_response=3.0)
    assert over(rounds_of([GOOD] * 10, [shorter] * 10), **settings) == SAME


def test_lengths_that_vary_within_a_side_are_no_difference() -> None:
    draw = random.Random(11)

    def side() -> list[Slot]:
        return [mixed({"200": 1000}, body_bytes_per_response=draw.gauss(1000, 100)) for _ in range(10)]

    assert [over(rounds_of(side(), side())).same for _ in range(200)].count(False) == 0


def test_answers_without_bodies_have_no_lengths_to_differ_in() -> None:
    empty = mixed({"204": 1000}, body_bytes_per_response=0.0)
    assert over(rounds_of([empty] * 10, [empty] * 10)).same


@pytest.mark.parametrize(
    ("direct", "haproxy", "words"),
    [
        (0, 1000, "haproxy makes a new connection every response, direct keeps its own"),
        (21, 0, "direct makes a new connection every 48 responses, haproxy keeps its own"),
        (20, 0, ""),
        (1000, 500, ""),
    ],
)
def test_reuse_differs_where_one_side_closes_more_than_one_in_fifty(
    direct: int, haproxy: int, words: str
) -> None:
    rounds = rounds_of(
        [mixed({"200": 1000}, reconnects=direct, outside=0)] * 10,
        [mixed({"200": 1000}, reconnects=haproxy, outside=0)] * 10,
    )
    found = over(rounds)
    assert found.differences == ([f"{words} (--allow reuse)"] if words else [])
    assert over(rounds, allowed=frozenset({Allowed.REUSE})).same


def test_connections_are_set_against_all_responses_of_a_slot_also_those_before_its_window() -> None:
    # A server that closes after 100 responses, whose lead-in was five times as long as the window.
    closing = mixed({"200": 1000}, reconnects=60, outside=5000)
    assert over(rounds_of([closing] * 10, [mixed({"200": 1000}, outside=5000)] * 10)).same
