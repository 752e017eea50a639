"""Certificates of a root that nobody but the tests trusts: good ones, and one of each kind that must be refused.

Each file is PEM and holds a key with the certificates that belong to it, so that one name serves nginx, HAProxy, Node
and OpenSSL alike; only the client's key is also a file of its own. They are made once for a run of the tests.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["NAME", "Certificates"]

NAME = "cannon.test"
"""A name that the good certificate holds and nobody resolves: to be asked for by SNI."""

_HOSTS = ("127.0.0.1", "::1", "localhost", NAME)


@dataclass(frozen=True)
class Certificates:
    """Paths, as a command line takes them. `ca` is the root of all but `self_signed` and `stranger`.

    `other` is as good as `server`, for the same hosts. `wrong_host` holds only `elsewhere.test`. `client` (its key in
    `client_key`, both in `client_whole`) is what a server of the tests asks for; `stranger` is a client's of a root
    that no server trusts.
    """

    ca: str
    server: str
    other: str
    expired: str
    wrong_host: str
    self_signed: str
    client: str
    client_key: str
    client_whole: str
    stranger: str

    @classmethod
    def make(cls, folder: Path) -> Self:
        """Write them all into a folder."""
        root = trustme.CA()
        root.cert_pem.write_to_path(folder / "ca.pem")
        gone = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        long_gone = gone - dt.timedelta(days=30)
        client = root.issue_cert("client@cannon.test", common_name="cannon's client")
        stranger = trustme.CA().issue_cert("stranger@cannon.test", common_name="a stranger")
        leaves = {
            "server": root.issue_cert(*_HOSTS, common_name="server"),
            "other": root.issue_cert(*_HOSTS, common_name="other"),
            "expired": root.issue_cert(*_HOSTS, not_before=long_gone, not_after=gone),
            "wrong_host": root.issue_cert("elsewhere.test"),
            "client_whole": client,
            "stranger": stranger,
        }
        for name, leaf in leaves.items():
            leaf.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
        (folder / "client.pem").write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
        client.private_key_pem.write_to_path(folder / "client_key.pem")
        (folder / "self_signed.pem").write_bytes(_self_signed())
        return cls(**{name: str(folder / f"{name}.pem") for name in cls.__dataclass_fields__})


def _self_signed() -> bytes:
    """The key and certificate of a server that nobody vouches for but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
