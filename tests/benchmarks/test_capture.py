from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import capture
from capture import capturing, dropped, read_exchanges, tcpdump_program
from clients import Fault
from pcap import Exchange
from tests.benchmarks.packets import SERVER, file, frame

SAID = """\
tcpdump: listening on lo, link-type EN10MB (Ethernet), snapshot length 96 bytes
337613 packets captured
675226 packets received by filter
{} packets dropped by kernel
"""

# Stands in for tcpdump: says what it says, waits for its SIGINT as that does, and leaves a capture without packets. Not
# a shell: where SIGINT was ignored from the start (a job in the background), a shell cannot trap it.
TCPDUMP = """\
#!{python}
import signal, sys
def ended(*args):
    print("{dropped} packets dropped by kernel", file=sys.stderr, flush=True)
    sys.exit(0)
signal.signal(signal.SIGINT, ended)
sys.stdout.buffer.write({header!r})
sys.stdout.buffer.flush()
print("tcpdump: {greeting}", file=sys.stderr, flush=True)
while True:
    signal.pause()
"""


def _stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *, dropped: int = 0, greeting: str) -> None:
    program = folder / "tcpdump"
    program.write_text(
        TCPDUMP.format(python=sys.executable, dropped=dropped, header=file([]), greeting=greeting)
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_what_the_kernel_dropped_is_read() -> None:
    assert dropped(SAID.format(0)) == 0
    assert dropped(SAID.format(1_207)) == 1_207
    assert dropped("1 packet dropped by kernel\n") == 1


def test_a_tcpdump_that_does_not_tell_is_not_trusted() -> None:
    with pytest.raises(Fault, match="did not say what it dropped"):
        dropped("tcpdump: listening on lo\n")


def test_a_capture_without_loss_is_taken_after_a_byte_that_is_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    _stand_in(tmp_path, monkeypatch, greeting="listening on lo")
    with capturing(_port(listener), tmp_path / "packets.pcap"):
        first, _ = listener.accept()
        with first:
            assert first.recv(10) == b"\r"
    assert read_exchanges(tmp_path / "packets.pcap", SERVER, 77) == []


def test_a_capture_that_lost_packets_has_no_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    _stand_in(tmp_path, monkeypatch, dropped=1_207, greeting="listening on lo")
    with (
        pytest.raises(Fault, match="1,207 packets are not in the capture"),
        capturing(_port(listener), tmp_path / "packets.pcap"),
    ):
        pass


def test_a_tcpdump_that_may_not_capture_says_what_would_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stand_in(tmp_path, monkeypatch, greeting="lo: You do not have permission")
    monkeypatch.setattr(capture, "_LIMIT_S", 0.2)
    with (
        pytest.raises(Fault, match=r"setcap cap_net_raw.*You do not have permission"),
        capturing(SERVER, tmp_path / "packets.pcap"),
    ):
        pass


def test_a_tcpdump_that_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(Fault, match="apt-get install tcpdump"):
        tcpdump_program()


def test_exchanges_come_in_the_order_of_their_requests(tmp_path: Path) -> None:
    path = tmp_path / "packets.pcap"
    path.write_bytes(
        file(
            [
                (10, frame(50_000, SERVER, 1, b"GET")),
                (20, frame(50_001, SERVER, 1, b"GET")),
                (30, frame(SERVER, 50_001, 1, b"ok")),
                (40, frame(SERVER, 50_000, 1, b"ok")),
            ]
        )
    )
    assert read_exchanges(path, SERVER, 2) == [Exchange(10, 40, 50_000), Exchange(20, 30, 50_001)]


def test_a_capture_that_does_not_frame_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "packets.pcap"
    path.write_bytes(file([(1, frame(SERVER, 50_000, 1, b"ok"))]))
    with pytest.raises(Fault, match="the capture: port 50000"):
        read_exchanges(path, SERVER, 2)
