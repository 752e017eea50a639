"""HAProxy in front of a server: it answers, it is what it says it is, and nothing of it stays."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cannon import services
from cannon.cli.front import fronted, program
from cannon.errors import InvalidRun
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

LIMIT_S = 20.0

HOLDS = """
import sys, time
from cannon.cli.front import fronted, program
with fronted(program(), sys.argv[1]) as front:
    print(front.pid, flush=True)
    time.sleep(60)
"""


def haproxy() -> str:
    """Its path on this machine."""
    path = program()
    assert path is not None, "the tests need HAProxy: apt install haproxy"
    return path


def is_gone(process_id: int) -> bool:
    """Whether it has ended by now, or does within a while."""
    until_s = time.monotonic() + LIMIT_S
    while time.monotonic() < until_s:
        try:
            if psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.005)
    return False


def authority(server: Rude) -> str:
    return server.url().rstrip("/")


def test_it_answers_with_what_the_server_answers_and_is_gone_with_the_block(rude: Rude) -> None:
    with fronted(haproxy(), authority(rude)) as stands:
        host, _, port = stands.url.removeprefix("http://").partition(":")
        assert host == "127.0.0.1"
        connection = http.client.HTTPConnection(host, int(port), timeout=LIMIT_S)
        connection.request("GET", "/length/5")
        response = connection.getresponse()
        assert (response.status, len(response.read())) == (200, 5)
        connection.close()
        assert psutil.Process(stands.pid).name() == "haproxy"
        (listening,) = {
            entry.laddr
            for entry in psutil.Process(stands.pid).net_connections("tcp")
            if entry.status == "LISTEN"
        }
        assert (listening.ip, listening.port) == ("127.0.0.1", int(port))
    assert rude.requests == 1
    assert is_gone(stands.pid)


def test_its_configuration_is_gone_once_it_runs(
    rude: Rude, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with fronted(haproxy(), authority(rude)):
        assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_within_the_block_ends_it_too(rude: Rude) -> None:
    with pytest.raises(KeyboardInterrupt), fronted(haproxy(), authority(rude)) as stands:
        raise KeyboardInterrupt
    assert is_gone(stands.pid)


def test_a_cannon_that_is_killed_leaves_nothing(rude: Rude) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, authority(rude)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process_id = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert is_gone(process_id)


def test_one_that_does_not_start_has_the_last_word(
    rude: Rude, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(services, "free_port", lambda: rude.port)
    with (
        pytest.raises(InvalidRun, match="ended with exit code 1 before it listened"),
        fronted(haproxy(), authority(rude)),
    ):
        pass
    assert "cannot bind" in capsys.readouterr().err.lower()
    assert list(tmp_path.iterdir()) == []
