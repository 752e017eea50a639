"""What fills the placeholders of a scenario: a folder of its own, free ports, where its certificate is.

    {here}         the folder of the scenario's file
    {dir}          a folder of this one run
    {port.NAME}    of each port that a service has: free at this moment
    {cert} {key}   a certificate for this machine (its key in the same file too), and its key

Law: nothing is made here; who runs a scenario makes the certificate that it asks for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cannon import certificate
from cannon.scenario import Scenario
from cannon.services import free_port

__all__ = ["Filling", "filling_of"]


@dataclass(frozen=True, slots=True)
class Filling:
    """`values` by placeholder; `ports` by name."""

    values: Mapping[str, str]
    ports: Mapping[str, int]


def filling_of(scenario: Scenario, folder: Path) -> Filling:
    """Choose ports, and the places of what is made in this folder."""
    ports: dict[str, int] = {}
    for name in scenario.ports:
        ports[name] = next(port for port in iter(free_port, 0) if port not in ports.values())
    values = {"here": os.fspath(scenario.folder), "dir": os.fspath(folder)}
    values |= {f"port.{name}": str(port) for name, port in ports.items()}
    values |= certificate.places(folder)
    return Filling(values, ports)
