"""The servers as pytest fixtures: a test module asks for them with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.certificates import Certificates
from tests.servers.real import Node
from tests.servers.rude import Rude
from tests.servers.rude_tls import RudeTls

__all__ = ["certificates", "node", "rude", "rude_tls"]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The certificates of a root of the tests' own, made once."""
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def rude() -> Iterator[Rude]:
    """A rude server of the test's own, so that its counts start at 0."""
    with Rude() as server:
        yield server


@pytest.fixture
def rude_tls(certificates: Certificates) -> Iterator[RudeTls]:
    """The same over TLS."""
    with RudeTls(certificates.server) as server:
        yield server


@pytest.fixture
def node() -> Iterator[Node]:
    """A Node server of the test's own."""
    with Node() as server:
        yield server
