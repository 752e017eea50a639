"""Between a dial that is answered and a connection: handshakes and tunnels, and who is said to have failed."""

from __future__ import annotations

import errno
from time import monotonic_ns

import pytest

from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import ProxyError, Secured, TlsError
from cannon.errors import Fault
from cannon.route import Address
from tests.engine.dialling import HERE, PROXY, THERE, Held, Shaking
from tests.engine.fakes import FakeSocket

GONE = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def test_a_handshake_is_gone_on_with_when_the_socket_is_ready_for_what_it_waits_for() -> None:
    first = Shaking(5, steps=[READ, WRITE, READ])
    first.secured = Secured("TLSv1.3 X", resumed=True)  # type: ignore[assignment]  # of plain sockets it is None
    held = Held(first)
    seen = []
    for _ in range(3):
        seen.append(held.poller.watched[5])
        assert (held.ended, held.tally().made) == (0, 0)
        held.turn()
    told = held.tally()
    assert (seen, held.ended, told.made) == ([READ, WRITE, READ], 1, 1)
    assert (told.tls_resumed.count, told.tls.count, told.negotiated) == (1, 0, {"TLSv1.3 X": 1})


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TlsError(1, "the certificate is not trusted"), "the certificate is not trusted"),
        (GONE, "Connection reset by peer, in the TLS handshake"),
    ],
)
def test_whom_we_do_not_trust_is_no_reason_to_try_the_next_address(error: OSError, message: str) -> None:
    first = Shaking(5, steps=[error])
    held = Held(first, FakeSocket(6))
    told = held.tally()
    assert (held.opened, held.ended, first.closed) == (1, 1, True)
    assert (told.connect_errors, told.examples[Fault.TLS].message) == ({Fault.TLS: 1}, message)


def test_a_timeout_in_the_handshake_says_so_and_one_in_the_dial_does_not() -> None:
    slow = Shaking(5, steps=[READ])
    held = Held(slow, FakeSocket(6, dialled=errno.EINPROGRESS), FakeSocket(7), timeout_ns=2_000_000)
    held.wait_for(2)
    told = held.tally()
    assert slow.closed
    assert told.connect_errors == {Fault.TIMEOUT: 1}
    assert "no end of the TLS handshake with 127.0.0.1:1" in told.examples[Fault.TIMEOUT].message
    held.wait_for(3)
    assert "no answer, dialling" in held.tally().examples[Fault.TIMEOUT].message


# Tunnels.


def test_a_proxy_that_opens_no_tunnel_is_a_fault_of_its_own_and_no_reason_to_try_the_next_address() -> None:
    first = Shaking(5, steps=[READ, ProxyError(0, "the proxy wants authorization (407)")])
    held = Held(first, addresses=(PROXY, THERE))
    held.turn()
    told = held.tally()
    assert (held.opened, held.ended, first.closed, told.made) == (1, 1, True, 0)
    assert told.connect_errors == {Fault.PROXY: 1}
    assert told.examples[Fault.PROXY].message == "the proxy wants authorization (407)"
    assert told.connect.count + told.tls.count == 0


@pytest.mark.parametrize(
    ("tunnelling", "address", "message"),
    [
        (True, PROXY, "the proxy 127.0.0.1:1 answered the dial and opened no tunnel"),
        (
            False,
            PROXY,
            "no end of the TLS handshake through the proxy 127.0.0.1:1 (does the server speak TLS on this port?)",
        ),
        (False, HERE, "no end of the TLS handshake with 127.0.0.1:1 (does this port speak TLS?)"),
    ],
)
def test_a_timeout_says_who_did_not_answer(tunnelling: bool, address: Address, message: str) -> None:
    slow = Shaking(5, steps=[READ])
    slow.tunnelling = tunnelling
    held = Held(slow, FakeSocket(6), addresses=(address,), timeout_ns=2_000_000)
    held.wait_for(2)
    told = held.tally()
    assert told.connect_errors == {Fault.TIMEOUT: 1}
    assert told.examples[Fault.TIMEOUT].message == message


class _Tunnelled(Shaking):
    """A proxy takes 5 ms to open the tunnel; TLS, if there is any, begins then, and is done at once."""

    def __init__(self, *, secure: bool) -> None:
        super().__init__(5, steps=[READ])
        self._secure = secure

    def handshake(self) -> int:
        waits_for = super().handshake()
        if not waits_for:
            began_ns = monotonic_ns()
            while monotonic_ns() - began_ns < 5_000_000:
                """Time passes."""
            if self._secure:
                self.secured = Secured("TLSv1.3 X", resumed=False, began_ns=monotonic_ns())  # type: ignore[assignment]  # of plain sockets it is None
        return waits_for


@pytest.mark.parametrize("secure", [False, True])
def test_the_time_that_a_tunnel_takes_belongs_to_the_connect_and_not_to_tls(secure: bool) -> None:
    began_ns = monotonic_ns()
    held = Held(_Tunnelled(secure=secure))
    held.turn()
    told = held.tally()
    elapsed_ns = monotonic_ns() - began_ns
    assert (told.connect.count, told.tls.count) == (1, int(secure))
    assert told.connect.max_ns is not None
    assert told.connect.max_ns >= 5_000_000
    # Durations are told at the upper edge of their buckets.
    assert told.connect.max_ns + (told.tls.max_ns or 0) <= elapsed_ns * 1.01
