"""A side is asked over the way that its plan goes: TLS, unix sockets, other addresses, proxies."""

from __future__ import annotations

from typing import Any

from cannon.route import Proxy, Route
from cannon.tls import Tls
from tests.probing import HELLO, asked, plan_at, refusal_of
from tests.servers.certificates import NAME, Certificates
from tests.servers.proxies import HttpProxy, Socks5Proxy
from tests.servers.real import HAProxy, Nginx, Node, Secure
from tests.servers.rude import Rude
from tests.servers.rude_tls import RudeTls

pytest_plugins = ("tests.servers.fixtures",)


def test_over_tls_the_version_and_the_cipher_are_told_and_the_name_is_asked_for(
    certificates: Certificates,
) -> None:
    with Nginx(secure=Secure(certificates.server, versions=("TLSv1.2",))) as nginx:
        answer = asked(nginx.url(), tls=Tls(ca=(certificates.ca,), server_name=NAME))
        (visit,) = nginx.visits()
    assert (answer.tls, visit.version, visit.name) == ("TLSv1.2", "TLSv1.2", NAME)
    assert answer.cipher is not None and answer.cipher.startswith("ECDHE-")


def test_a_server_that_is_not_verified_gets_nothing(rude_tls: RudeTls) -> None:
    said = refusal_of(plan_at(rude_tls.url("/ok")))
    assert said.startswith(f"cannot connect to {rude_tls.url('/ok')}: the certificate is not trusted")
    assert rude_tls.untouched


def test_a_client_shows_its_certificate(certificates: Certificates) -> None:
    secure = Secure(certificates.server, client_ca=certificates.ca)
    own = Tls(ca=(certificates.ca,), cert=certificates.client, key=certificates.client_key)
    with Nginx(secure=secure) as nginx:
        assert asked(nginx.url(), tls=own).status == 200
        assert asked(nginx.url(), tls=Tls(ca=(certificates.ca,))).status == 400


def test_a_body_cut_off_without_close_notify_is_no_answer(
    rude_tls: RudeTls, certificates: Certificates
) -> None:
    said = refusal_of(plan_at(rude_tls.url("/close-delimited"), tls=Tls(ca=(certificates.ca,))))
    assert said.endswith("closed without close_notify, in mid-response")
    assert asked(rude_tls.url("/close-delimited/notify"), tls=Tls(ca=(certificates.ca,))).digest == HELLO


def test_a_large_answer_and_a_large_upload_pass_over_tls(
    rude_tls: RudeTls, certificates: Certificates
) -> None:
    tls = Tls(ca=(certificates.ca,))
    assert asked(rude_tls.url("/length/3000000"), tls=tls).body_bytes == 3_000_000
    assert asked(rude_tls.url("/ok"), tls=tls, method="POST", body=bytes(3_000_000)).status == 200


def test_a_unix_socket_is_asked() -> None:
    with Nginx() as nginx:
        answer = asked("http://shop.example/file", route=Route(socket_path=nginx.socket_path))
        assert (answer.status, nginx.statuses()) == (200, {200: 1})


def test_another_address_is_dialled_from_a_bound_one(rude: Rude) -> None:
    route = Route(connect_to=("127.0.0.1", rude.port), bind="127.0.0.2")
    assert asked("http://shop.example:81/ok", route=route).status == 200
    assert rude.received[0].values("Host") == ["shop.example:81"]


def test_http_goes_through_a_proxy_in_absolute_form(rude: Rude) -> None:
    with HttpProxy(userinfo="me:secret") as proxy:
        route = Route(proxy=Proxy.parse(proxy.url("me:secret")))
        assert asked(f"http://nowhere.test:{rude.port}/ok", route=route).digest == HELLO
        assert (proxy.requests, proxy.tunnels) == (1, 0)


def test_https_goes_through_a_tunnel_and_is_verified_beyond_it(
    rude_tls: RudeTls, certificates: Certificates
) -> None:
    tls = Tls(ca=(certificates.ca,))
    for kind in (HttpProxy, Socks5Proxy):
        with kind(userinfo="me:secret") as proxy:
            route = Route(proxy=Proxy.parse(proxy.url("me:secret")))
            answer = asked(f"https://{NAME}:{rude_tls.port}/ok", route=route, tls=tls)
            assert (answer.digest, answer.tls, proxy.tunnels) == (HELLO, "TLSv1.3", 1)


def test_a_proxy_that_refuses_a_password_is_told_without_it(rude: Rude) -> None:
    with Socks5Proxy(userinfo="me:secret") as proxy:
        route = Route(proxy=Proxy.parse(proxy.url("me:wrong")))
        said = refusal_of(plan_at(rude.url("/ok"), route=route))
    assert said.endswith("the proxy refuses this user and password (SOCKS 5)")


def test_haproxy_and_the_node_behind_it_answer_alike_and_count_the_same(node: Node) -> None:
    with HAProxy(node.url()) as haproxy:
        settings: dict[str, Any] = {"compressed": True}
        assert asked(haproxy.url("/gzip"), **settings) == asked(node.url("/gzip"), **settings)
        assert asked(haproxy.url("/gzip"), **settings).encoding == "gzip"
        assert haproxy.count() == 2
    assert node.count() == 3
