"""How connections are secured: who is trusted, what is shown, and what is said of a file that does not serve."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.plan import Plan
from cannon.target import Target
from cannon.tls import Tls, is_host_name
from tests.servers.certificates import NAME, Certificates

pytest_plugins = ("tests.servers.fixtures",)

PAIR = "--cert client.pem --key client.key"


def shake_hands(tls: Tls, server: ssl.SSLContext, host: str = NAME) -> ssl.SSLObject:
    """The client's end of a handshake in memory; SSLError where one side refuses the other."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        tls.context().wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    left = [*ends]
    while left:
        for end in tuple(left):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            left.remove(end)
    return ends[0]


def a_server(chain: str, client_ca: str | None = None) -> ssl.SSLContext:
    """A server that shows this chain, and may ask for a certificate of this root."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_a_server_of_a_root_that_nobody_named_is_refused(certificates: Certificates) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        shake_hands(Tls(), a_server(certificates.server))


@pytest.mark.parametrize("ca", ["ca", "server"])
def test_what_is_named_is_trusted_root_or_not(certificates: Certificates, ca: str) -> None:
    shake_hands(Tls(ca=(getattr(certificates, ca),)), a_server(certificates.server))


def test_an_intermediate_that_is_named_is_trusted(tmp_path: Path) -> None:
    between = trustme.CA().create_child_ca()
    leaf = between.issue_cert(NAME)
    leaf.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    between.cert_pem.write_to_path(tmp_path / "between.pem")
    shake_hands(Tls(ca=(str(tmp_path / "between.pem"),)), a_server(str(tmp_path / "server.pem")))


def test_each_file_that_is_named_is_trusted(certificates: Certificates) -> None:
    tls = Tls(ca=(certificates.self_signed, certificates.ca))
    shake_hands(tls, a_server(certificates.server))
    shake_hands(tls, a_server(certificates.self_signed), "localhost")


@pytest.mark.parametrize(
    ("server", "said"), [("wrong_host", "Hostname mismatch"), ("expired", "certificate has expired")]
)
def test_a_trusted_root_excuses_nothing_else(certificates: Certificates, server: str, said: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=said):
        shake_hands(Tls(ca=(certificates.ca,)), a_server(getattr(certificates, server)))


@pytest.mark.parametrize("server", ["server", "wrong_host", "expired", "self_signed"])
def test_without_verification_every_server_will_do(certificates: Certificates, server: str) -> None:
    shake_hands(Tls(verify=False), a_server(getattr(certificates, server)))


def test_old_versions_of_tls_are_not_spoken() -> None:
    assert Tls(verify=False).context().minimum_version >= ssl.TLSVersion.TLSv1_2


def test_http_1_1_is_what_is_asked_for(certificates: Certificates) -> None:
    end = shake_hands(Tls(verify=False), a_server(certificates.server))
    assert end.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize(("verify", "loads"), [(True, 1), (False, 0)])
def test_the_systems_roots_are_those_to_begin_with(
    monkeypatch: pytest.MonkeyPatch, *, verify: bool, loads: int
) -> None:
    loaded: list[ssl.SSLContext] = []

    def load(context: ssl.SSLContext) -> None:
        loaded.append(context)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    Tls(verify=verify).context()
    assert len(loaded) == loads


def two_files(certificates: Certificates) -> Tls:
    return Tls(verify=False, cert=certificates.client, key=certificates.client_key)


def one_file(certificates: Certificates) -> Tls:
    return Tls(verify=False, cert=certificates.client_whole)


@pytest.mark.parametrize("shown", [two_files, one_file])
def test_a_certificate_is_shown_to_a_server_that_asks(
    certificates: Certificates, shown: Callable[[Certificates], Tls]
) -> None:
    server = a_server(certificates.server, client_ca=certificates.ca)
    end = shake_hands(shown(certificates), server)
    assert end.version() == "TLSv1.3"


def test_a_server_that_asks_and_gets_nothing_refuses(certificates: Certificates) -> None:
    server = a_server(certificates.server, client_ca=certificates.ca)
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(Tls(verify=False), server)


# What is said of files. `verify` makes no difference to that, and the system's own store takes 50 ms to load.


def refusal(**files: object) -> str:
    """What is said to settings that do not serve."""
    with pytest.raises(UsageError) as raised:
        Tls(verify=False, **files).context()  # type: ignore[arg-type]  # any of the fields
    return raised.value.message


@pytest.fixture(scope="session")
def files(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that serve for nothing, beside some that do."""
    folder = tmp_path_factory.mktemp("files")
    good = Path(certificates.client).read_bytes()
    key = serialization.load_pem_private_key(Path(certificates.client_key).read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    contents = {
        "client.pem": good,
        "client.key": Path(certificates.client_key).read_bytes(),
        "other.key": plain(ec.generate_private_key(ec.SECP256R1())),
        "rsa.key": plain(rsa.generate_private_key(65537, 2048)),
        "encrypted.key": encrypted,
        "encrypted.pem": encrypted + good,
        "mismatched.pem": plain(ec.generate_private_key(ec.SECP256R1())) + good,
        "empty": b"",
        "text": b"certificates are kept elsewhere\n",
        "binary": x509.load_pem_x509_certificate(good).public_bytes(serialization.Encoding.DER),
        "damaged.pem": good.replace(b"\nM", b"\n!"),
        "half.pem": good + b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "revoked.pem": revoked(key),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    return folder


def plain(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def revoked(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A list of revoked certificates, which OpenSSL takes where it takes certificates."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    certificate = trustme.CA().cert_pem.bytes()
    now = x509.load_pem_x509_certificate(certificate).not_valid_before_utc
    builder = x509.CertificateRevocationListBuilder().issuer_name(name).last_update(now).next_update(now)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


NO_CERTIFICATE = "holds no certificate in PEM form"
NO_FILE = "is no file, and every worker must read it"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing", "cannot be read: No such file or directory"),
        ("empty", NO_CERTIFICATE),
        ("text", NO_CERTIFICATE),
        ("binary", NO_CERTIFICATE),
        ("damaged.pem", NO_CERTIFICATE),
        ("half.pem", NO_CERTIFICATE),
        ("revoked.pem", NO_CERTIFICATE),
        ("client.key", NO_CERTIFICATE),
        ("folder", NO_FILE),
        ("pipe", NO_FILE),
    ],
)
def test_a_file_that_is_no_root_is_refused_by_its_name(files: Path, name: str, said: str) -> None:
    path = str(files / name)
    assert refusal(ca=(path,)) == f"--ca: '{path}' {said}; e.g. --ca ca.pem"
    assert refusal(cert=path, key=str(files / "client.key")) == f"--cert: '{path}' {said}; e.g. {PAIR}"


def test_the_one_bad_file_of_many_is_named(files: Path, certificates: Certificates) -> None:
    assert refusal(ca=(certificates.ca, str(files / "empty"))).startswith(f"--ca: '{files}/empty' ")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing", "--key: '{key}' cannot be read: No such file or directory"),
        ("text", "--key: '{key}' holds no key in PEM form"),
        ("client.pem", "--key: '{key}' holds no key in PEM form"),
        ("folder", f"--key: '{{key}}' {NO_FILE}"),
        ("pipe", f"--key: '{{key}}' {NO_FILE}"),
        ("other.key", "--cert: '{cert}' has another key than the one in '{key}'"),
        ("rsa.key", "--cert: '{cert}' has another key than the one in '{key}'"),
    ],
)
def test_a_key_that_is_none_of_the_certificate_is_refused(files: Path, name: str, said: str) -> None:
    cert, key = str(files / "client.pem"), str(files / name)
    assert refusal(cert=cert, key=key) == f"{said.format(cert=cert, key=key)}; e.g. {PAIR}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("client.pem", "holds no key"),
        ("mismatched.pem", "has another key than the one in '{cert}'"),
    ],
)
def test_a_certificate_alone_brings_its_key(files: Path, name: str, said: str) -> None:
    cert = str(files / name)
    assert refusal(cert=cert) == f"--cert: '{cert}' {said.format(cert=cert)}; e.g. {PAIR}"


def test_a_certificate_too_weak_for_openssl_is_refused_with_its_reason(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - as weak as it must be
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weak")])
    root = x509.load_pem_x509_certificate(trustme.CA().cert_pem.bytes())
    weak = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(root.not_valid_before_utc)
        .not_valid_after(root.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "weak.pem"
    path.write_bytes(plain(key) + weak.public_bytes(serialization.Encoding.PEM))
    assert refusal(cert=str(path)) == (
        f"--cert: '{path}' is refused by OpenSSL: ee key too small; e.g. {PAIR}"
    )


@pytest.mark.parametrize(
    ("settings", "option", "name"),
    [
        ({"cert": "client.pem", "key": "encrypted.key"}, "--key", "encrypted.key"),
        ({"cert": "encrypted.pem"}, "--cert", "encrypted.pem"),
    ],
)
def test_an_encrypted_key_is_refused_and_nobody_is_asked(
    files: Path, settings: dict[str, str], option: str, name: str
) -> None:
    assert refusal(**{field: str(files / file) for field, file in settings.items()}) == (
        f"{option}: the key in '{files / name}' is encrypted, and cannon asks for no password;"
        " e.g. openssl pkey -in client.key -out plain.key"
    )


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_what_only_this_process_can_read_is_no_file(path: str, certificates: Certificates) -> None:
    program = (
        "from cannon.errors import UsageError; from cannon.tls import Tls\n"
        f"try: Tls(verify=False, ca=({path!r},)).context()\n"
        "except UsageError as error: print(error.message)"
    )
    with open(certificates.ca, "rb") as ca:
        done = subprocess.run(
            [sys.executable, "-c", program], stdin=ca, capture_output=True, text=True, check=True, timeout=30
        )
    assert done.stdout == f"--ca: '{path}' {NO_FILE}; e.g. --ca ca.pem\n"


@pytest.mark.parametrize("files_given", [{"ca": ("a\0b",)}, {"cert": "a\0b"}])
def test_a_name_that_no_file_has_is_refused_in_one_line(files_given: dict[str, object]) -> None:
    message = refusal(**files_given)
    assert "'a\\x00b' cannot be read: " in message
    assert message.isprintable()


def test_a_key_belongs_to_a_certificate() -> None:
    with pytest.raises(UsageError) as raised:
        Tls(key="client.key")
    assert raised.value.message == f"--key belongs to a certificate; give both, e.g. {PAIR}"


@pytest.mark.parametrize(
    "name", ["localhost", "www.example.com", "a_b.example", "xn--bcher-kva.example", "1.example", "a" * 63]
)
def test_a_name_of_a_host_is_taken(name: str) -> None:
    assert Tls(server_name=name).server_name == name


@pytest.mark.parametrize(
    "name",
    [
        " ",
        "127.0.0.1",
        "1",
        "::1",
        "[::1]",
        "example.com.",
        ".example.com",
        "a..b",
        "-a.example",
        "a-.example",
        "*.example.com",
        "example.com:443",
        "https://example.com/",
        "bücher.example",
        "a\n",
        "a" * 64,
        ".".join(["a" * 63] * 4),
    ],
)
def test_what_names_no_host_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        Tls(server_name=name)
    assert raised.value.message.startswith("-s/--servername: '")
    assert raised.value.message.endswith("' is no name of a host; e.g. -s www.example.com")
    assert raised.value.message.isprintable()


@given(st.text(max_size=40))
def test_every_name_that_is_taken_is_one_that_openssl_takes(name: str) -> None:
    if is_host_name(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)


@given(st.lists(st.from_regex(r"[a-z0-9_-]{0,4}", fullmatch=True), min_size=1, max_size=4).map(".".join))
def test_labels_are_judged_one_by_one(name: str) -> None:
    labels = name.split(".")
    whole = all(label and label[0] != "-" and label[-1] != "-" for label in labels)
    assert is_host_name(name) == (whole and not labels[-1].isdigit())


def test_a_plan_carries_its_settings_as_they_were_given() -> None:
    tls = Tls(ca=("ca.pem",), server_name="localhost")
    assert Plan(targets=(Target.parse("https://127.0.0.1/"),), tls=tls).tls == tls
