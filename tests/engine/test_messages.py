"""Messages come whole, however the pipe cuts them."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.messages import Inbox, read_message, write_message


@given(st.lists(st.binary(max_size=40)), st.integers(1, 17))
def test_an_inbox_gives_back_what_was_written(messages: list[bytes], piece: int) -> None:
    reading, writing = os.pipe()
    for message in messages:
        write_message(writing, message)
    os.close(writing)
    inbox, received = Inbox(), []
    while data := os.read(reading, piece):
        received += inbox.feed(data)
    os.close(reading)
    assert received == messages


def test_one_message_is_read_and_not_a_byte_more() -> None:
    reading, writing = os.pipe()
    write_message(writing, b"shard")
    os.write(writing, b".")
    assert read_message(reading) == b"shard"
    assert os.read(reading, 10) == b"."
    os.close(writing)
    assert read_message(reading) is None
    os.close(reading)
