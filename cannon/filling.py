"""What fills the placeholders of a scenario: a folder of its own, free ports, where its certificate is.

    {here}         the folder of the scenario's file
    {dir}          a folder of this one run
    {port.NAME}    of each port that a service has: free at this moment
    {cert} {key}   a certificate for this machine (its key in the same file too), and its key
    {python}       the Python that runs cannon: {python} -m cannon serve

Law: nothing is made here; who runs a scenario makes the certificate that it asks for.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cannon import certificate
from cannon.scenario import Scenario
from cannon.services import free_port

__all__ = ["Filling", "filling_of", "values_of"]

_LOCALHOST = "127.0.0.1"
_LOWEST_PORT = 10_000
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Filling:
    """`values` by placeholder; `ports` by name."""

    values: Mapping[str, str]
    ports: Mapping[str, int]


def filling_of(scenario: Scenario, folder: Path) -> Filling:
    """Choose ports, and the places of what is made in this folder."""
    ports: dict[str, int] = {}
    for name in scenario.ports:
        ports[name] = _free_port(ports.values())
    return Filling(values_of(scenario, folder, ports), ports)


def values_of(scenario: Scenario, folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """By placeholder what fills it, `ports` by name being those of the scenario."""
    values = {"here": os.fspath(scenario.folder), "dir": os.fspath(folder), "python": sys.executable}
    values |= {f"port.{name}": str(port) for name, port in ports.items()}
    return values | certificate.places(folder)


def _free_port(taken: Container[int]) -> int:
    """One that the kernel gives to nobody who dials: a service that is stopped in mid-run gets its own again."""
    lowest_given = _LOWEST_PORT
    with suppress(OSError, ValueError, IndexError):
        lowest_given = int(_GIVEN.read_text().split()[0])
    for _ in range(_TRIES if lowest_given > _LOWEST_PORT else 0):
        port = random.randrange(_LOWEST_PORT, lowest_given)
        with suppress(OSError), socket.socket() as probe:
            probe.bind((_LOCALHOST, port))
            if port not in taken:
                return port
    return next(port for port in iter(free_port, 0) if port not in taken)
