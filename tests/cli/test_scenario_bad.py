"""Scenarios that go wrong, from end to end: one clear message each, the right exit code, nothing left running.

What is found before anything is started is tried without starting anything, in tests/test_scenario_file.py and
tests/cli/test_staging.py; here stands what takes a process, and that those are refused as a user meets them.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.staging import SERVER, a_service, a_table, begun, python, written

HAPROXY = {"name": "front", "package": "haproxy", "command": ["haproxy", "-db", "-f", "{configuration}"]}
HAPROXY |= {"configuration": "front.cfg", "ports": ["front"]}

MORTAL = SERVER.replace("while True:", "asked = 0\nwhile True:").replace(
    "        try:\n",
    "        asked += 1\n"
    "        if asked > 12:\n"
    "            print('out of memory', flush=True); os._exit(9)\n"
    "        try:\n",
)
"""Dies of its thirteenth read."""


def ended(folder: Path, table: dict[str, Any], *words: str, folders: int) -> subprocess.CompletedProcess[str]:
    """How a scenario has ended, of which no process is left and as many folders as are meant to be looked at."""
    with begun(folder, "run", str(written(folder, table)), *words) as scenario:
        process = scenario.ended()
        assert scenario.processes == []
        assert len(scenario.left) == folders
    assert "Traceback" not in process.stderr
    assert all(line.isprintable() for line in process.stderr.splitlines())
    return process


def refused(folder: Path, table: dict[str, Any]) -> str:
    """The one line that is said of it."""
    process = ended(folder, table, folders=0)
    assert (process.returncode, process.stdout) == (2, "")
    (line,) = process.stderr.splitlines()
    return line


def test_a_program_that_is_missing_is_named_with_its_package(tmp_path: Path) -> None:
    services = [a_service(), {"name": "front", "command": ["haproxy9", "-db"], "package": "haproxy"}]
    line = refused(tmp_path, a_table(service=services))
    assert line == "cannon: haproxy9: not found; on Debian: apt-get install haproxy"


def test_a_file_that_is_wrong_is_named_with_its_key(tmp_path: Path) -> None:
    line = refused(tmp_path, a_table(service=[a_service(portz=[])]))
    assert line == f"cannon: {tmp_path}/tried.toml: there is no key 'service[0].portz' in a scenario"


def test_a_program_that_cannot_be_run_is_told_and_those_before_it_are_ended(tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_bytes(b"\x7fELF, and no more")
    path.chmod(0o755)
    odd = {"name": "odd", "command": [str(path)]}
    line = refused(tmp_path, a_table(service=[a_service(), odd]))
    assert line.startswith("cannon: service 'odd': the command '")
    assert line.endswith(" cannot be run: Exec format error")


def test_a_configuration_that_haproxy_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "front.cfg").write_text("defaults\n    mode htpp\n")
    process = ended(tmp_path, a_table(service=[a_service(), HAPROXY]), folders=1)
    assert (process.returncode, process.stdout) == (3, "")
    *said, place, line = process.stderr.splitlines()
    assert any("unknown proxy mode 'htpp'" in each or "front.cfg:2" in each for each in said)
    assert place.startswith("cannon: configurations and logs are in ")
    assert line.startswith("cannon: service 'front': the server '")
    assert line.endswith("' ended with exit code 1 before it listened")


def test_a_port_that_is_taken_is_told_in_the_servers_own_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        (tmp_path / "front.cfg").write_text(
            f"defaults\n    mode http\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n"
            f"frontend front\n    bind 127.0.0.1:{port}\n"
        )
        process = ended(tmp_path, a_table(service=[a_service(), HAPROXY]), folders=1)
    assert process.returncode == 3
    assert f"127.0.0.1:{port}" in process.stderr
    assert "service 'front': " in process.stderr.splitlines()[-1]


@pytest.mark.parametrize("kind", ["compare", "run"])
def test_a_service_that_dies_in_mid_run_is_told_with_its_last_words(kind: str, tmp_path: Path) -> None:
    table = a_table(kind=kind, service=[a_service(command=python(MORTAL, "{port.web}")), a_service("other")])
    process = ended(tmp_path, table, "-R", "100", "-d", "0.5", folders=1)
    assert process.returncode == 3
    lines = process.stderr.splitlines()
    assert "  out of memory" in lines
    assert "cannon: service 'web' ended with exit code 9 before the end" in lines
    (place,) = [line.rpartition(" ")[2] for line in lines if "configurations and logs are in" in line]
    assert (Path(place) / "web.log").read_text() == "out of memory\n"
