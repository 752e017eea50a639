"""The servers as pytest fixtures: a test module asks for them with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.real import Node
from tests.servers.rude import Rude

__all__ = ["node", "rude"]


@pytest.fixture
def rude() -> Iterator[Rude]:
    """A rude server of the test's own, so that its counts start at 0."""
    with Rude() as server:
        yield server


@pytest.fixture
def node() -> Iterator[Node]:
    """A Node server of the test's own."""
    with Node() as server:
        yield server
