"""https, fired as a user fires: counts, versions, names and resumed sessions are those of the servers' own word."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cannon.result import Result
from tests.firing import result_of, run_cli
from tests.servers.certificates import NAME, Certificates
from tests.servers.real import HAProxy, Nginx, Node, Secure
from tests.servers.rude import Rude
from tests.servers.rude_tls import RudeTls
from tests.servers.tls_wires import Greeting

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = ("native", "h11")
ALL_ENGINES = (*ENGINES, "httpx")
VERSIONS = ("TLSv1.2", "TLSv1.3")


def secured(process: subprocess.CompletedProcess[str]) -> Result:
    """The result of a run over TLS that nothing went wrong in: exit 0, counts in order, a handshake a connection."""
    assert process.returncode == 0, process.stderr
    result = result_of(process)
    requests, connects = result.requests, result.connects
    assert requests.in_flight == 0
    assert requests.sent == requests.completed == sum(result.status.values()) == result.latency_ms.count
    assert (result.errors, connects.errors) == ({}, {})
    assert result.tls_ms.count + result.tls_resumed_ms.count == connects.made == result.connect_ms.count
    return result


def sent(result: Result) -> int:
    """All that was ever sent: in the window, and off the clock."""
    return result.requests.sent + result.outside.preflight


@pytest.fixture
def fired(certificates: Certificates) -> Callable[..., Result]:
    """Run the command line, trusting the root of the tests, and return what it found."""
    return lambda *arguments: secured(run_cli("-j", "--ca", certificates.ca, *arguments))


@pytest.mark.parametrize("engine", ALL_ENGINES)
@pytest.mark.parametrize("version", VERSIONS)
def test_nginx_logs_as_many_requests_as_were_sent(
    certificates: Certificates, fired: Callable[..., Result], version: str, engine: str
) -> None:
    with Nginx(secure=Secure(certificates.server, versions=(version,))) as nginx:
        result = fired("-d", "500ms", "-c", "10", "--engine", engine, nginx.url())
        visits = nginx.visits()
    assert Counter((visit.status, visit.version, visit.name) for visit in visits) == {
        (200, version, "-"): sent(result)
    }
    assert len({visit.connection for visit in visits}) == result.connects.made + 1 == 11
    assert result.tls_ms.count == 10, "nobody has a session yet"
    assert {agreed.split()[0] for agreed in result.connects.negotiated} == {version}
    assert sum(result.connects.negotiated.values()) == 10
    assert result.tls_ms.p50 is not None and result.tls_ms.p50 > 0


def test_node_counts_as_many_requests_as_were_sent(
    certificates: Certificates, fired: Callable[..., Result]
) -> None:
    with Node(secure=Secure(certificates.server)) as node:
        result = fired("-d", "400ms", "-c", "10", node.url("/chunked"))
        seen = node.seen()
    assert seen.requests == sent(result)
    assert seen.secured == seen.connections == result.connects.made + 1
    assert (seen.resumed, seen.refused) == (0, 0)


def test_haproxy_and_the_plain_node_behind_it_count_the_same(
    node: Node, certificates: Certificates, fired: Callable[..., Result]
) -> None:
    with HAProxy(node.url(), secure=Secure(certificates.server)) as haproxy:
        result = fired("-d", "400ms", "-c", "10", haproxy.url())
        assert haproxy.count() == sent(result)
    assert node.count() == sent(result)


def test_two_workers_send_what_they_say_together(
    certificates: Certificates, fired: Callable[..., Result]
) -> None:
    with Node(secure=Secure(certificates.server)) as node:
        result = fired("-a", "1003", "-c", "5", "-w", "2", node.url())
        seen = node.seen()
    assert result.requests.sent == 1003
    assert seen.requests == sent(result)
    assert seen.secured == result.connects.made + 1 == 6


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_connection_made_again_resumes_its_session(
    certificates: Certificates, fired: Callable[..., Result], version: str, engine: str
) -> None:
    with Nginx(keepalive_requests=5, secure=Secure(certificates.server, versions=(version,))) as nginx:
        result = fired("-a", "200", "-c", "4", "--engine", engine, nginx.url())
        connections = nginx.resumed()
        assert nginx.count() == sent(result)
    # nginx says with the fifth response that it closes; four may have had fewer when the amount was reached.
    assert 40 <= result.connects.made <= 44
    assert (result.tls_ms.count, result.tls_resumed_ms.count) == (4, result.connects.made - 4)
    assert connections == {False: 4 + 1, True: result.connects.made - 4}


@pytest.mark.parametrize("version", VERSIONS)
def test_fresh_sessions_are_never_resumed(
    certificates: Certificates, fired: Callable[..., Result], version: str
) -> None:
    with Nginx(keepalive_requests=5, secure=Secure(certificates.server, versions=(version,))) as nginx:
        result = fired("-a", "100", "-c", "4", "--tls-session", "fresh", nginx.url())
        assert nginx.resumed() == {False: result.connects.made + 1}
    assert (result.tls_ms.count, result.tls_resumed_ms.count) == (result.connects.made, 0)
    assert result.connects.made >= 20


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_resumes_nothing_is_told_as_it_is(
    certificates: Certificates, fired: Callable[..., Result], version: str
) -> None:
    secure = Secure(certificates.server, versions=(version,), resumes=False)
    with Nginx(keepalive_requests=5, secure=secure) as nginx:
        result = fired("-a", "100", "-c", "4", nginx.url())
        assert nginx.resumed() == {False: result.connects.made + 1}
    assert (result.tls_ms.count, result.tls_resumed_ms.count) == (result.connects.made, 0)


def test_haproxy_and_node_resume_too(certificates: Certificates, fired: Callable[..., Result]) -> None:
    with Node(secure=Secure(certificates.server)) as node:
        result = fired("-a", "40", "-c", "2", "-H", "Connection=close", node.url())
        seen = node.seen()
        assert (seen.secured, seen.resumed) == (41, 38)
        assert (result.tls_ms.count, result.tls_resumed_ms.count) == (2, 38)
    with Node() as behind, HAProxy(behind.url(), secure=Secure(certificates.server)) as haproxy:
        result = fired("-a", "40", "-c", "2", "-H", "Connection=close", haproxy.url())
        assert (result.tls_ms.count, result.tls_resumed_ms.count) == (2, 38)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_large_body_reaches_node_whole(
    certificates: Certificates, fired: Callable[..., Result], tmp_path: Path, engine: str
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * 2_000_000)
    with Node(secure=Secure(certificates.server)) as node:
        options = ("-a", "12", "-c", "4", "-m", "POST", "-i", str(body), "--engine", engine)
        result = fired(*options, node.url("/upload"))
        seen = node.seen()
    assert (seen.requests, seen.body_bytes) == (12, 12 * 2_000_000)
    assert result.bytes.sent > 12 * 2_000_000


def test_nginx_may_answer_before_it_has_read_a_large_body(
    certificates: Certificates, fired: Callable[..., Result], tmp_path: Path
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * 2_000_000)
    with Nginx(secure=Secure(certificates.server)) as nginx:
        fired("-a", "12", "-c", "4", "-m", "POST", "-i", str(body), nginx.url())
        assert nginx.statuses() == {200: 12}


def refused(server: RudeTls | Rude, *arguments: str, url: str = "") -> str:
    """The one line that a run ends with before its clock starts: exit 3, and nothing was sent."""
    process = run_cli("-j", "-d", "10", "-t", "2", *arguments, url or server.url())
    assert process.returncode == 3, process.stderr
    assert process.stdout == ""
    assert process.stderr.endswith("\n")
    assert process.stderr[:-1].isprintable()
    assert str(server.port) in process.stderr
    return process.stderr


@pytest.mark.parametrize(
    ("which", "reason", "flags"),
    [
        ("expired", "expired", ("-k",)),
        ("wrong_host", "127.0.0.1", ("-s NAME", "-k")),
        ("self_signed", "self-signed", ("--ca FILE", "-k")),
    ],
)
@pytest.mark.parametrize("engine", ["native", "httpx"])
def test_a_certificate_that_does_not_do_ends_a_run_before_it_begins(
    certificates: Certificates, which: str, reason: str, flags: tuple[str, ...], engine: str
) -> None:
    with RudeTls(getattr(certificates, which)) as server:
        said = refused(server, "--ca", certificates.ca, "--engine", engine)
        assert server.untouched
    assert reason in said
    assert all(flag in said for flag in flags), said


def test_a_root_that_nobody_named_ends_a_run_before_it_begins(rude_tls: RudeTls) -> None:
    said = refused(rude_tls)
    assert "--ca FILE" in said and "-k" in said
    assert rude_tls.untouched


def test_a_handshake_that_nobody_answers_ends_a_run_within_the_timeout(certificates: Certificates) -> None:
    with RudeTls(certificates.server, greeting=Greeting.SILENCE) as server:
        assert "no end of the TLS handshake" in refused(server, "--ca", certificates.ca)


def test_https_at_a_port_that_speaks_http_is_told_as_such(certificates: Certificates) -> None:
    with Nginx() as nginx:
        process = run_cli("-j", "--ca", certificates.ca, nginx.url().replace("http:", "https:"))
    assert process.returncode == 3
    assert "http://" in process.stderr
    assert "TLS" in process.stderr


def test_without_verification_anybody_is_fired_at_and_the_result_says_so(certificates: Certificates) -> None:
    with RudeTls(certificates.expired) as server:
        result = secured(run_cli("-j", "-k", "-a", "20", "-c", "2", server.url()))
        assert server.requests == sent(result)
        assert set(server.handshakes.failed) <= {"CLOSED"}
    assert result.plan.tls is not None
    assert result.plan.tls.verify is False


def test_a_certificate_that_goes_bad_for_a_while_is_told_among_the_connects(
    rude_tls: RudeTls, certificates: Certificates
) -> None:
    def renew() -> None:
        rude_tls.wait_for(lambda server: server.requests > 20, limit_s=20)
        rude_tls.turn_to(certificates.expired)
        rude_tls.wait_for(lambda _: rude_tls.handshakes.failed.total() > 3, limit_s=20)
        rude_tls.turn_to(certificates.other)

    renewing = threading.Thread(target=renew)
    renewing.start()
    process = run_cli("-j", "--ca", certificates.ca, "-a", "400", "-c", "3", rude_tls.url("/says-close"))
    renewing.join()
    result = result_of(process)
    assert process.returncode == 0, process.stderr
    assert (result.status, result.errors) == ({"200": 400}, {})
    assert result.connects.errors == {"tls": rude_tls.handshakes.failed.total()}
    assert "expired" in result.error_examples["tls"]
    assert result.connects.made == 400
    assert rude_tls.requests == sent(result)


def test_the_result_says_whom_it_trusted(rude_tls: RudeTls, certificates: Certificates) -> None:
    result = secured(run_cli("-j", "--ca", certificates.ca, "-a", "20", "-c", "2", rude_tls.url()))
    tls = result.plan.tls
    assert tls is not None
    assert (tls.verify, tls.ca, tls.server_name, tls.sessions) == (True, [certificates.ca], None, "resume")


def test_a_self_signed_certificate_may_be_trusted_by_itself(certificates: Certificates) -> None:
    with RudeTls(certificates.self_signed) as server:
        options = ("--ca", certificates.ca, "--ca", certificates.self_signed)
        result = secured(run_cli("-j", *options, "-a", "20", "-c", "2", server.url()))
        assert server.requests == sent(result)


def test_a_name_is_asked_for_and_verified_instead_of_the_host(
    certificates: Certificates, fired: Callable[..., Result]
) -> None:
    with Nginx(secure=Secure(certificates.wrong_host)) as nginx:
        assert fired("-s", "elsewhere.test", "-a", "20", "-c", "2", nginx.url()).status == {"200": 20}
        assert {visit.name for visit in nginx.visits()} == {"elsewhere.test"}
    with RudeTls(certificates.wrong_host) as server:
        said = refused(server, "--ca", certificates.ca, "-s", NAME)
        assert NAME in said
        assert server.untouched


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_certificate_is_shown_where_it_is_asked_for(
    certificates: Certificates, fired: Callable[..., Result], version: str
) -> None:
    secure = Secure(certificates.server, client_ca=certificates.ca, versions=(version,))
    in_two_files = ("--cert", certificates.client, "--key", certificates.client_key)
    in_one_file = ("--cert", certificates.client_whole)
    with Node(secure=secure) as node:
        result = fired(*in_two_files, "-a", "20", "-c", "2", node.url())
        seen = node.seen()
        assert (seen.requests, seen.refused) == (sent(result), 0)
    with Node() as behind, HAProxy(behind.url(), secure=secure) as haproxy:
        result = fired(*in_one_file, "-a", "20", "-c", "2", haproxy.url())
        assert haproxy.count() == sent(result)


@pytest.mark.parametrize("version", VERSIONS)
def test_who_shows_no_certificate_learns_which_option_gives_one(
    certificates: Certificates, version: str
) -> None:
    secure = Secure(certificates.server, client_ca=certificates.ca, versions=(version,))
    with Node() as behind, HAProxy(behind.url(), secure=secure) as haproxy:
        process = run_cli("-j", "--ca", certificates.ca, "-a", "20", "-c", "2", haproxy.url())
        assert haproxy.count() == 0
    assert process.returncode == 3
    assert "--cert" in process.stderr
    with Nginx(secure=secure) as nginx:
        process = run_cli("-j", "--ca", certificates.ca, "-a", "20", "-c", "2", nginx.url())
        assert nginx.statuses() == {400: 21}
    assert process.returncode == 3
    assert result_of(process).status == {"400": 20}
