"""The certificate that is made on the spot: good for this machine, its key for nobody else."""

from __future__ import annotations

import ipaddress
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from cannon import certificate
from cannon.errors import InvalidRun, UsageError


def standing_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a script in the place of openssl."""
    path = folder / "openssl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(certificate, "path_of", lambda name: str(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one has been made."""
    made = tmp_path_factory.mktemp("certificate")
    certificate.make(made)
    return made


def test_it_is_for_this_machine_by_all_its_names(folder: Path) -> None:
    found = x509.load_pem_x509_certificate(Path(certificate.places(folder)["cert"]).read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]


def test_a_client_that_trusts_it_takes_it_from_a_server_that_shows_it(folder: Path) -> None:
    places = certificate.places(folder)
    # One file with the key in it, as HAProxy wants it, or two.
    for key in (None, places["key"]):
        showing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        showing.load_cert_chain(places["cert"], key)
        trusting = ssl.create_default_context(cafile=places["cert"])
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = showing.wrap_bio(to_server, to_client, server_side=True)
        client = trusting.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
        for side in (client, server, client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
        assert client.version() == "TLSv1.3"


def test_its_key_is_for_its_owner_alone(folder: Path) -> None:
    for place in certificate.places(folder).values():
        assert stat.S_IMODE(Path(place).stat().st_mode) == 0o600


def test_the_key_is_in_no_file_that_others_may_read_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    standing_in(tmp_path, f"umask 0; echo key > {key}; echo cert > {cert}", monkeypatch)
    # A second name of the file, which sees the rights that it had when the key came.
    modes: list[int] = []
    real = Path.read_bytes

    def reading(path: Path) -> bytes:
        modes.append(stat.S_IMODE(cert.stat().st_mode))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    certificate.make(tmp_path)
    assert modes == [0o600]
    assert cert.read_text() == "cert\nkey\n"


def test_without_openssl_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "path_of", lambda name: None)
    with pytest.raises(UsageError, match=r"^openssl: not found, .*; on Debian: apt-get install openssl$"):
        certificate.make(tmp_path)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            r"printf 'no such \033[31m curve\n' >&2; exit 1",
            r"openssl made no certificate: no such \\x1b\[31m curve",
        ),
        ("exec sleep 60", r"openssl made no certificate within 0\.05 s"),
        ("exit 0", "there is no certificate: No such file or directory"),
    ],
)
def test_one_that_could_not_be_made_is_told(
    script: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "_LIMIT_S", 0.05 if "sleep" in script else 20.0)
    standing_in(tmp_path, script, monkeypatch)
    with pytest.raises(InvalidRun, match=f"^{told}"):
        certificate.make(tmp_path)
