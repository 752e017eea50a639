"""Ports of 127.0.0.1 where nobody answers: one that refuses, one that says nothing at all.

A port that is bound but does not listen refuses every dial, and while it is held nobody else is given it, a
dialling socket neither. Whoever sets SO_REUSEADDR, as servers do, may still listen on it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["black_hole", "reserve", "reserved_port"]

HOST = "127.0.0.1"


def reserve(port: int = 0) -> socket.socket:
    """A socket that holds a free port, or this one, without listening: dials are refused."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, port))
    return holder


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that refuses every dial, and on which a server of ours may begin to listen."""
    with reserve() as holder:
        yield holder.getsockname()[1]


@contextmanager
def black_hole() -> Iterator[int]:
    """A port whose SYNs are dropped: its queue is full and nobody accepts."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as probe:
        listener.bind((HOST, 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        probe.settimeout(0.05)
        try:
            probe.connect(listener.getsockname())
        except TimeoutError:
            yield listener.getsockname()[1]
        else:
            raise OSError("a full queue of this kernel takes one more connection: no black hole can be made")
