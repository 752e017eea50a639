"""Both framings give the corpus's verdict, however its bytes are split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.framing import FastFraming
from cannon.engine.owed import Bodies, Owed
from cannon.errors import Fault, FramingError
from tests.corpus import Case, deliveries, load
from tests.engine.driving import (
    CHUNKED,
    FRAMINGS,
    GET,
    GOOD,
    HEAD,
    MUTATIONS,
    Caller,
    Verdict,
    answer,
    drive,
    split,
)

CASES = load()
OWED = {"GET": GET, "HEAD": HEAD}
BY_ID = {case.id: case for case in CASES}
REUSABLE = [case for case in CASES if case.reusable and case.method == "GET" and len(case.data) < 5000]

_STRICT_DEPARTURES = {
    "refuses a status below 100, which counts as a 5xx": (
        "status line: status 000 is final and handled as a 5xx",
        "status line: status 099 is final and handled as a 5xx",
    ),
    "takes a lone LF for a line end": (
        "line ends: bare LF throughout",
        "line ends: bare LF after the status line",
        "line ends: bare LF after a field",
        "line ends: bare LF for the empty line",
        "chunked: bare LF at the very end",
        "trailers: bare LF after one",
    ),
    "waits for the end of a line that is wrong already": (
        "line ends: CR CR LF for the empty line",
        "line ends: bare CR for the empty line",
    ),
    "refuses a number of more than 20 digits, though most are zeros": (
        "content-length: thirty leading zeros",
        "chunked: thirty leading zeros",
    ),
    "takes any number of 20 digits": (
        "content-length: 2 to the 64",
        "content-length: twenty nines",
        "chunked: a size of 2 to the 64",
    ),
    "refuses bad whitespace before the semicolon of an extension": (
        "chunked: bad whitespace before an extension",
        "chunked: a tab before an extension",
    ),
    "takes blanks after a chunk size": ("chunked: a space after the size", "chunked: a tab after the size"),
    "takes anything in a chunk extension": (
        "chunked: a NUL in an extension",
        "chunked: bare CR in an extension",
    ),
    "judges trailers as if they framed the message": (
        "trailers: a bad length, which frames nothing",
        "trailers: a transfer coding, which frames nothing",
    ),
    "never reuses a connection of HTTP/1.0": (
        "persistence: HTTP/1.0 and keep-alive",
        "persistence: HTTP/1.0 and Keep-Alive in capitals",
    ),
    "refuses every Transfer-Encoding but chunked alone": (
        "head: a coding that is not chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked twice, by the outer one",
        "transfer-encoding: an empty element before chunked",
        "transfer-encoding: an empty element after chunked",
        "transfer-encoding: a quoted parameter before chunked",
        "transfer-encoding: gzip and chunked in two fields",
        "transfer-encoding: gzip alone is read until the close",
        "transfer-encoding: chunked, gzip is read until the close",
        "transfer-encoding: identity is read until the close",
        "transfer-encoding: an unknown coding is read until the close",
        "transfer-encoding: chunked quoted in a parameter",
        "transfer-encoding: chunked, then gzip in another field",
    ),
    "lets Transfer-Encoding win over Content-Length instead of refusing both": (
        "transfer-encoding: chunked and a length",
        "transfer-encoding: a length and chunked",
        "transfer-encoding: a length of zero and chunked",
    ),
}

DEPARTURES: dict[tuple[str, str], str] = {
    ("strict", id_): f"{BY_ID[id_].rfc}: {what}" for what, ids in _STRICT_DEPARTURES.items() for id_ in ids
}
"""(framing, case) -> the section of the RFC, and what the framing does instead. The fast framing has none."""


def shortfall(case: Case, verdict: Verdict) -> str:
    """How a verdict falls short of the corpus's; nothing if it is the same."""
    if case.kind is not None:
        return "" if verdict.kind is case.kind else f"{verdict} instead of {case.kind}"
    wanted = ([case.status], case.body_bytes, bool(case.excess_bytes), None)
    got = (verdict.statuses, verdict.body_bytes, verdict.excess, verdict.kind)
    if got != wanted:
        return f"{verdict} instead of {wanted}"
    if case.keep_alive is not None and verdict.keep_alive != case.keep_alive:
        return f"keep_alive is {verdict.keep_alive}"
    return ""


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_framing_gives_the_verdict_of_the_rfc_however_the_bytes_arrive(name: str, case: Case) -> None:
    shortfalls = {
        delivery: found
        for delivery, pieces in deliveries(case.data)
        if (found := shortfall(case, answer(name, pieces, OWED[case.method])))
    }
    if (name, case.id) in DEPARTURES:
        assert shortfalls, f"a departure has healed: take {case.id!r} off the list"
    else:
        assert not shortfalls, (case.rfc, case.data[:200], shortfalls)


def test_the_corpus_has_its_size_and_its_names() -> None:
    assert len(CASES) >= 200
    assert len(BY_ID) == len(CASES)
    assert {name for name, _ in DEPARTURES} == {"strict"}


# Any split, any bytes.


@given(case=st.sampled_from(CASES), data=st.data())
def test_no_split_of_the_bytes_changes_the_verdict_of_the_fast_framing(
    case: Case, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(case.data)), max_size=8).map(sorted))
    pieces = split(case.data, [0, *cuts, len(case.data)])
    assert not shortfall(case, answer("fast", pieces, OWED[case.method]))


SHORT = [case.data for case in CASES if 0 < len(case.data) < 400]


@given(
    data=st.sampled_from(SHORT),
    edits=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 4), st.sampled_from(MUTATIONS)), min_size=1, max_size=4
    ),
)
def test_what_comes_in_one_read_is_judged_as_what_comes_in_single_bytes(
    data: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for anywhere, removed, inserted in edits:
        at = min(anywhere, len(data))
        data = data[:at] + inserted + data[at + removed :]
    whole = answer("fast", split(data, [0, len(data)]))
    bytewise = answer("fast", split(data, list(range(len(data) + 1))))
    assert whole._replace(message="", body_bytes=0) == bytewise._replace(message="", body_bytes=0)
    assert whole.kind is not None or whole.body_bytes == bytewise.body_bytes


# Reuse.


@given(
    cases=st.lists(st.sampled_from(REUSABLE), min_size=1, max_size=5),
    data=st.data(),
    name=st.sampled_from(sorted(FRAMINGS)),
)
def test_responses_one_after_another_on_a_connection_are_all_told(
    cases: list[Case], data: st.DataObject, name: str
) -> None:
    bodies = Bodies()
    framing = FRAMINGS[name](bodies=bodies)
    caller = Caller(framing, bodies)
    for case in cases:
        if (name, case.id) in DEPARTURES:
            continue
        caller.expect()
        cuts = data.draw(st.lists(st.integers(0, len(case.data)), max_size=2).map(sorted))
        pieces = split(case.data, [0, *cuts, len(case.data)])
        body_bytes = 0
        for piece in pieces:
            assert not framing.statuses
            body_bytes += caller.take(piece)
        assert (framing.statuses, body_bytes) == ([case.status], case.body_bytes)
        assert framing.keep_alive
        assert not framing.excess
        framing.statuses.clear()


@given(
    cases=st.lists(st.sampled_from(REUSABLE), min_size=1, max_size=6),
    data=st.data(),
    name=st.sampled_from(sorted(FRAMINGS)),
)
def test_pipelined_responses_are_told_apart_wherever_the_reads_end(
    cases: list[Case], data: st.DataObject, name: str
) -> None:
    cases = [case for case in cases if (name, case.id) not in DEPARTURES]
    stream = b"".join(case.data for case in cases)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=4).map(sorted))
    verdict = pipeline(name, split(stream, [0, *cuts, len(stream)]), [GET] * len(cases))
    assert verdict.statuses == [case.status for case in cases]
    assert verdict.body_bytes == sum(case.body_bytes for case in cases)
    assert verdict.keep_alive


BEFORE = [
    (GET, GOOD),
    (GET, CHUNKED + b"2\r\nok\r\n0\r\n\r\n"),
    (HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"),
    (GET, b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
]
"""What is owed, and ordinary answers to it."""


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_response_behind_others_that_were_owed_has_the_verdict_of_the_rfc_too(
    name: str, case: Case
) -> None:
    at = len(case.id) % len(BEFORE)
    before = [*BEFORE[at:], *BEFORE[:at]][: 1 + len(case.data) % 3]
    statuses = [int(data.split(b"HTTP/1.1 ")[-1][:3]) for _, data in before]
    owed = [*(one for one, _ in before), OWED[case.method]]
    start = b"".join(data for _, data in before)
    before_bytes = sum(2 for _, data in before if data.endswith((b"ok", b"0\r\n\r\n")))
    shortfalls = {}
    for delivery, pieces in deliveries(start + case.data):
        verdict = pipeline(name, pieces, owed)
        assert verdict.statuses[: len(before)] == statuses, delivery
        rest = verdict._replace(
            statuses=verdict.statuses[len(before) :], body_bytes=verdict.body_bytes - before_bytes
        )
        if found := shortfall(case, rest):
            shortfalls[delivery] = found
    assert bool(shortfalls) == ((name, case.id) in DEPARTURES), shortfalls


@given(
    cases=st.lists(st.sampled_from(REUSABLE), max_size=4),
    last=st.sampled_from(CASES),
    behind=st.integers(0, 2),
    data=st.data(),
)
def test_wherever_the_reads_end_a_bad_response_costs_none_of_those_before_it(
    cases: list[Case], last: Case, behind: int, data: st.DataObject
) -> None:
    stream = b"".join(case.data for case in [*cases, last])
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=4).map(sorted))
    bodies = Bodies()
    framing = FastFraming(bodies=bodies)
    # A response that others are owed behind: what follows it may be theirs, so only errors can be told.
    owed = [*(OWED[case.method] for case in [*cases, last]), *[GET] * (behind if last.kind else 0)]
    verdict = drive(Caller(framing, bodies), split(stream, [0, *cuts, len(stream)]), owed)
    good = [case.status for case in cases]
    assert verdict.statuses == good + ([] if last.kind else [last.status])
    assert verdict.kind is last.kind
    if last.kind in (Fault.MALFORMED, Fault.HEAD_TOO_LARGE):
        assert framing.broken is not None
        assert framing.broken.fault is last.kind
        assert not framing.keep_alive


def pipeline(name: str, pieces: list[bytes], owed: list[Owed]) -> Verdict:
    bodies = Bodies()
    return drive(Caller(FRAMINGS[name](bodies=bodies), bodies), pieces, owed)


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize(
    "second",
    [b"garbage", b"\r\n" + GOOD, b"HTTP/2.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"],
)
def test_a_broken_response_does_not_take_with_it_the_one_before_in_the_same_read(
    name: str, second: bytes
) -> None:
    verdict = pipeline(name, [GOOD + second], [GET] * 3)
    assert (verdict.statuses, verdict.kind) == ([200], Fault.MALFORMED)


@pytest.mark.parametrize("name", FRAMINGS)
def test_every_status_of_a_read_with_several_responses_is_kept(name: str) -> None:
    other = GOOD.replace(b"200 OK", b"404 No")
    assert pipeline(name, [GOOD + other + GOOD], [GET] * 3).statuses == [200, 404, 200]


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_response_that_closes_ends_a_pipeline(name: str) -> None:
    closing = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    verdict = pipeline(name, [GOOD + closing + GOOD], [GET] * 3)
    assert (verdict.statuses, verdict.keep_alive, verdict.excess) == ([200, 200], False, True)


# Excess and what nobody asked for.


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize("extra", [GOOD, GOOD[:20], b"garbage", b"\r\n", b"\n", b"\0", b"0\r\n\r\n"])
@pytest.mark.parametrize("first", [GOOD, CHUNKED + b"2\r\nok\r\n0\r\n\r\n", b"HTTP/1.1 204 X\r\n\r\n"])
def test_bytes_after_a_response_are_excess_and_no_response(name: str, first: bytes, extra: bytes) -> None:
    verdict = answer(name, [first + extra])
    assert (len(verdict.statuses), verdict.excess, verdict.keep_alive, verdict.kind) == (1, True, False, None)


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_response_that_nobody_asked_for_is_an_error(name: str) -> None:
    bodies = Bodies()
    framing = FRAMINGS[name](bodies=bodies)
    with pytest.raises(FramingError, match="nobody asked for"):
        Caller(framing, bodies).take(GOOD)
    assert not framing.statuses


@pytest.mark.parametrize("name", FRAMINGS)
def test_an_interim_response_is_never_counted(name: str) -> None:
    verdict = answer(name, [b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + GOOD])
    assert (verdict.statuses, verdict.keep_alive) == ([200], True)


@pytest.mark.parametrize("cut", [0, 20, 70])
def test_after_a_trailer_that_says_close_nothing_is_sent(cut: int) -> None:
    data = CHUNKED + b"2\r\nok\r\n0\r\nConnection: close\r\n\r\n"
    verdict = answer("fast", split(data, [0, cut, len(data)]))
    assert (verdict.statuses, verdict.keep_alive, verdict.excess) == ([200], False, False)


def test_the_body_of_a_response_read_twice_is_counted_once() -> None:
    folded_trailer = CHUNKED + b"2\r\nok\r\n0\r\nX: a\r\n b\r\n\r\n"
    bodies = Bodies()
    bodies.total_bytes = 7  # of the response before
    framing = FastFraming(bodies=bodies)
    caller = Caller(framing, bodies)
    caller.expect()
    assert caller.take(folded_trailer) == 7 + 2
    assert framing.statuses == [200]
