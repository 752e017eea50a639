"""What fills placeholders: ports that are free and stay so, places where nothing is made yet."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from cannon import filling
from cannon.filling import filling_of, values_of
from cannon.scenario import Scenario
from cannon.scenario_file import read
from tests.servers.ports import reserve
from tests.staging import a_service, a_table, written


def with_ports(folder: Path, *names: str) -> Scenario:
    services = [a_service(name) for name in names]
    side = {"url": f"http://127.0.0.1:{{port.{names[0]}}}/"}
    return read(written(folder, a_table(kind="run", service=services, side=[side])))


def test_every_port_of_every_service_is_free_and_another(tmp_path: Path) -> None:
    names = [f"web{number}" for number in range(30)]
    found = filling_of(with_ports(tmp_path, *names), tmp_path / "run")
    assert list(found.ports) == names
    assert len(set(found.ports.values())) == 30
    assert {name: found.values[f"port.{name}"] for name in names} == {
        name: str(port) for name, port in found.ports.items()
    }
    for port in found.ports.values():
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_no_port_is_one_that_the_kernel_gives_to_who_dials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "range"
    given.write_text("10500\t60999\n")
    monkeypatch.setattr(filling, "_GIVEN", given)
    ports = filling_of(with_ports(tmp_path, "a", "b", "c"), tmp_path).ports
    assert all(10_000 <= port < 10_500 for port in ports.values())


@pytest.mark.parametrize("told", [None, "", "1024 65535", "odd"])
def test_where_no_such_port_is_left_any_that_is_free_will_do(
    told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "range"
    if told is not None:
        given.write_text(told)
    monkeypatch.setattr(filling, "_GIVEN", given)
    ports = filling_of(with_ports(tmp_path, "a", "b"), tmp_path).ports
    assert len({*ports.values()}) == 2


def test_a_port_that_somebody_holds_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "range"
    with reserve() as holder:
        held = holder.getsockname()[1]
        given.write_text(f"{held + 1} 65535")
        monkeypatch.setattr(filling, "_GIVEN", given)
        monkeypatch.setattr(filling, "_LOWEST_PORT", held)
        assert held not in filling_of(with_ports(tmp_path, "a"), tmp_path).ports.values()


def test_places_are_told_and_nothing_is_made(tmp_path: Path) -> None:
    found = with_ports(tmp_path, "web")
    folder = tmp_path / "run"
    values = filling_of(found, folder).values
    assert (values["here"], values["dir"], values["python"]) == (str(tmp_path), str(folder), sys.executable)
    assert {os.path.dirname(values[name]) for name in ("cert", "key")} == {str(folder)}
    assert not folder.exists()


def test_the_same_names_are_filled_with_any_ports(tmp_path: Path) -> None:
    found = with_ports(tmp_path, "web")
    assert values_of(found, tmp_path, {"web": 1}).keys() == filling_of(found, tmp_path).values.keys()
