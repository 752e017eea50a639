"""The express lane takes what is ordinary, and nothing that it has seen before changes what that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.framing import Express, FastFraming
from cannon.engine.owed import Bodies, Owed
from tests.corpus import load
from tests.engine.driving import CHUNKED, GET, GOOD, HEAD, MUTATIONS

STARTS = [case.data for case in load() if case.reusable and case.method == "GET" and 0 < len(case.data) < 400]


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        GOOD[:-2] + b"\r\n",
        GOOD.replace(b"200 OK", b"404 Nothing of the kind"),
        GOOD.replace(b"200 OK", b"299 "),
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\r\n",
        CHUNKED + b"2\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nok\r\n3\r\nand\r\n0\r\n\r\n",
        CHUNKED + b"0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\r\n\r\n",
    ],
)
def test_ordinary_responses_stay_in_the_express_lane(data: bytes) -> None:
    bodies = Bodies()
    framing = FastFraming(bodies=bodies)
    framing.expect(GET)
    lane = framing.express()
    assert lane is not None
    status = int(data[9:12])
    assert [lane.read(data), lane.read(data), lane.read(GOOD)] == [status, status, 200]


@pytest.mark.parametrize(
    "data",
    [
        GOOD + b"\r\n",
        GOOD + GOOD,
        GOOD[:-1],
        GOOD.replace(b"OK", b"O\0K"),
        GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        GOOD.replace(b"HTTP/1.1", b"RTSP/1.1"),
        GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        b"\r\n" + GOOD,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + GOOD,
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\r\n0\r\n\r\n",
        b"",
    ],
)
def test_whatever_is_not_ordinary_is_left_to_the_careful_lane_with_no_body_counted(data: bytes) -> None:
    bodies = Bodies()
    bodies.total_bytes = 7  # of the response before
    framing = FastFraming(bodies=bodies)
    framing.expect(GET)
    lane = framing.express()
    assert lane is not None
    assert lane.read(data) == 0
    assert bodies.total_bytes == 7
    assert lane.read(GOOD) == 200
    assert lane.read(data) == 0
    assert bodies.total_bytes == 7 + 2


def test_in_mid_response_no_express_lane_is_open() -> None:
    framing = FastFraming(bodies=Bodies())
    framing.expect(GET)
    framing.read(GOOD[:30])
    assert framing.express() is None
    framing.read(GOOD[30:])
    assert framing.statuses == [200]
    framing.statuses.clear()
    framing.expect(GET)
    assert framing.express() is not None


@pytest.mark.parametrize("owed", [[], [HEAD], [Owed(body=b"ok")], [GET, GET]])
def test_the_express_lane_is_for_one_response_with_any_body(owed: list[Owed]) -> None:
    framing = FastFraming(bodies=Bodies())
    for one in owed:
        framing.expect(one)
    assert framing.express() is None


@given(data=st.data())
def test_what_the_express_lane_remembers_changes_none_of_its_verdicts(data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(STARTS))
    near = st.tuples(st.integers(0, len(start)), st.integers(0, 3), st.sampled_from([b"", *MUTATIONS]))
    bodies = Bodies()
    used = Express(bodies)
    for at, removed, inserted in data.draw(st.lists(near, max_size=6)):
        for read in (start, start[:at] + inserted + start[at + removed :], start):
            before, fresh = bodies.total_bytes, Bodies()
            assert used.read(read) == Express(fresh).read(read)
            assert bodies.total_bytes - before == fresh.total_bytes


def test_a_response_after_one_of_another_status_has_its_own() -> None:
    bodies = Bodies()
    lane = Express(bodies)
    chunked = CHUNKED.replace(b"200 OK", b"404 No") + b"2\r\nok\r\n0\r\n\r\n"
    other = GOOD.replace(b"200 OK", b"500 No")
    reads = [GOOD, GOOD, chunked, GOOD, other, GOOD, other, other, chunked, chunked, GOOD]
    assert [lane.read(data) for data in reads] == [int(data[9:12]) for data in reads]
    assert bodies.total_bytes == 2 * len(reads)
