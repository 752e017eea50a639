"""One connection as httpx drives it: what an ordinary Python client sees (--engine httpx).

Each is an AsyncClient of its own, which sends one request at a time. The bytes are those cannon would write, head and
body in two writes; `check` has httpx write them to a recorder before anything is sent, and refuses a plan for which
they differ. No redirect is followed, no cookie kept, no proxy looked for; bodies are read as they came and thrown away.

What is measured: a latency is from asking httpx to its having read the body whole and let go of the connection, so
httpx's own work is in it; dials and handshakes are done ahead and are not. Own delay is from the loop learning that
the last bytes of a response are there to the end of that latency. Which response is whole is httpx's verdict, also
where it is more lenient than cannon's (it waits for the end of a line whatever that begins with), but for one thing:
a body that ends with its TLS stream is truncated where no close_notify was sent. Bytes that follow a response, httpx
takes for the next one: a response of which nothing was read after its request is told as malformed, and as excess.
httpx never offers a TLS session again: every handshake is a full one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic_ns

import httpcore
import httpx

from cannon.engine.head import no_http, starts_a_head
from cannon.engine.meter import Meter
from cannon.engine.network import DialFailed, Network, Readiness, Recorder, Unsent, reason_of, system_error
from cannon.engine.supply import Prepared, Shot
from cannon.errors import Fault, UsageError
from cannon.plan import Plan, Timestamps
from cannon.request import Request
from cannon.sequence import Streamed
from cannon.target import Target
from cannon.text import clean

__all__ = ["Client", "check"]

_PAUSE_FIRST_S = 0.01
_PAUSE_LONGEST_S = 0.5
_HEAD_TOO_LARGE = 431
_FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpcore.ProtocolError,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    OSError,
)
"""What httpx raises at what a server does; OSError is OpenSSL's, which httpcore lets through."""


def check(plan: Plan) -> None:
    """Refuse what this engine cannot do: UsageError, before anything is sent."""
    if plan.trace:
        raise UsageError("--debug cannot trace what httpx sends; leave it out, or give --engine native")
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise UsageError(
            "--engine httpx needs a thread without a running event loop, e.g. asyncio.to_thread(run, ...)"
        )
    for wrong, what in (
        (len(plan.targets) > 1, f"fires at one URL, and {len(plan.targets)} are given"),
        (plan.pipelining > 1, "has one request in flight on a connection, and -p asks for more"),
        (plan.pace is not None, "fires as fast as answers come, and -R, -r, --ramp and --steps give a rate"),
        (plan.limits.per_connection is not None, "counts no requests of a connection, as -M asks"),
        (plan.limits.reconnect_after is not None, "counts no requests of a connection, as -D asks"),
        (plan.limits.bailout is not None, "does not stop for errors, as -B asks"),
        (plan.lead_in_ns > 0, "opens its window with the first request, and a lead-in comes before"),
        (plan.ids, "sends the same request each time, and -I asks for an id in each"),
        (plan.expect_body is not None, "throws bodies away, and -E compares them"),
        (plan.excludes_errors, "counts the bytes of all answers, and -x asks for those of successes"),
        (bool(plan.sequence), "sends one request over and over, and --har has a sequence"),
        (
            any(isinstance(step.body, Streamed) for step in plan.steps),
            "holds bodies, and this one is streamed",
        ),
        (plan.route.proxy is not None, "goes through no proxy, as --proxy asks"),
        (plan.route.socket_path is not None, "knows no unix sockets, as -S asks"),
        (plan.route.connect_to is not None, "dials the URL's own host, and --connect-to names another"),
        (plan.route.bind is not None, "leaves its own address to the system, and --bind names one"),
        (
            plan.timestamps is Timestamps.KERNEL,
            "stamps answers as httpx hands them over, not by --timestamps kernel",
        ),
    ):
        if wrong:
            raise UsageError(f"--engine httpx {what}; give --engine native")
    for target in plan.targets:
        if plan.method != plan.method.upper():
            raise UsageError(
                f"--engine httpx: httpx writes -m {clean(plan.method)} in capitals; give --engine native"
            )
        try:
            written = _rehearsed(plan, target)
        except httpx.InvalidURL:
            raise UsageError(
                f"--engine httpx: httpx takes no '{clean(target.host)}' for a host; give --engine native"
            ) from None
        if written != Request.build(plan, plan.steps[0]).data:
            # What differs may be a secret.
            raise UsageError(
                "--engine httpx: httpx would not send these headers as given; give --engine native"
            )


def _rehearsed(plan: Plan, target: Target) -> bytes:
    """What httpx writes for a request; empty if it refuses to."""
    recorder = Recorder()

    async def write() -> None:
        async with _client(recorder, None) as client:
            await client.send(_request(plan, target))

    loop = asyncio.SelectorEventLoop()
    try:
        loop.run_until_complete(write())
    except httpcore.LocalProtocolError:
        return b""
    finally:
        loop.close()
    return recorder.written


class Client:
    """One connection of a shard. `ramp` bounds the first dials, `dialled` is called when its own has ended, and none
    fires before `begin`. `take` says whether there is one more request to send, which then counts as held until it is
    written; `over`, whether sending has ended. `answered` counts whole responses.
    """

    def __init__(
        self,
        plan: Plan,
        context: ssl.SSLContext | None,
        *,
        meter: Meter,
        readiness: Readiness,
        ramp: asyncio.Semaphore,
        begin: asyncio.Event,
        dialled: Callable[[], None],
        take: Callable[[], bool],
        over: Callable[[], bool],
    ) -> None:
        target = plan.targets[0]
        self._meter = meter
        self._ramp = ramp
        self._begin = begin
        self._dialled = dialled
        self._take = take
        self._over = over
        self._timeout_ns = plan.timeout_ns
        self._network = Network(
            meter=meter,
            readiness=readiness,
            addresses=target.addresses,
            timeout_ns=plan.timeout_ns,
            context=context,
            server_name=plan.tls.server_name or target.host.removesuffix("."),
        )
        self._httpx = _client(self._network, context)
        self._request = _request(plan, target)
        self._closes = Request.build(plan, plan.steps[0]).closes
        self._shot = Shot(b"", Prepared(Request(plan.method, b""), 0))
        self._failures = 0
        self._status = 0
        self._stays = True
        self.answered = 0

    @property
    def sent_ns(self) -> int:
        """When the request in flight was sent; 0 when there is none."""
        return self._network.sent_ns

    async def run(self) -> None:
        """Dial, fire, dial again where need be; to the end of the supply, or of the sending."""
        try:
            await self._open()
            await self._begin.wait()
            while self._take():
                while not await self._exchange():
                    if self._over():
                        return
        finally:
            await self._network.leave()
            await self._httpx.aclose()

    async def _open(self) -> None:
        """The first dial, one of a few at a time; if it fails, those that follow it."""
        try:
            async with self._ramp:
                await self._network.dial()
        except DialFailed:
            self._dialled()
            await self._pause()
            await self._dial()
        else:
            self._dialled()

    async def _dial(self) -> None:
        """Dial until somebody answers; the pauses double, so that a refusing server gets no hot loop."""
        while True:
            try:
                await self._network.dial()
            except DialFailed:
                await self._pause()
            else:
                self._failures = 0
                return

    async def _pause(self) -> None:
        self._failures += 1
        await asyncio.sleep(min(_PAUSE_FIRST_S * 2 ** min(self._failures - 1, 10), _PAUSE_LONGEST_S))

    async def _exchange(self) -> bool:
        """One request and its end, counted. False if none of it was sent: it is still held."""
        network = self._network
        if not network.stands:
            await self._dial()
        self._status = 0
        asked_ns = monotonic_ns()
        fault: tuple[Fault, str] | None = None
        try:
            async with asyncio.timeout(self._timeout_ns / 1e9):
                await self._respond()
        except Unsent:
            self._meter.closed_idle += 1
            if network.fresh:
                await self._pause()
            return False
        except DialFailed:
            await self._pause()
            return False
        except TimeoutError:
            if not network.sent_ns:
                return False
            self._meter.timed_out(self._shot, self._timeout_ns)
            fault = Fault.TIMEOUT, f"no whole response in {self._timeout_ns / 1e9:g} s, {_where(network)}"
        except _FAILURES as error:
            fault = _fault(error, network, in_head=not self._status)
        if fault is None:
            fault = self._answered(max(asked_ns, network.connected_ns))
        if fault is not None:
            self._meter.failed(*fault, monotonic_ns())
            network.clear()
            await network.leave()
        network.clear()
        return True

    async def _respond(self) -> None:
        """Have httpx send the request, and read the response to its end."""
        response = await self._httpx.send(self._request, stream=True)
        self._status = response.status_code
        self._stays = _stays(response)
        try:
            async for part in response.aiter_raw():
                self._meter.bodies.total_bytes += len(part)
        finally:
            await response.aclose()

    def _answered(self, began_ns: int) -> tuple[Fault, str] | None:
        """Count a response that httpx holds for whole; or say why it is none."""
        network = self._network
        if self._status == 101:
            return Fault.MALFORMED, "101 Switching Protocols, which was not asked for"
        if not network.first_byte_ns:
            self._meter.excess += 1
            return Fault.MALFORMED, "bytes that nobody had asked for, and httpx took for the response"
        if network.ragged:
            # The close was to be the end of the body, and anybody on the way could have made this one.
            message = "the body ends with the connection, and that was closed without close_notify"
            return Fault.TRUNCATED, message
        now_ns = monotonic_ns()
        self._shot.sent_ns = began_ns
        self._meter.completed(self._shot, self._status, now_ns, network.first_byte_ns)
        self._meter.settle(now_ns - (network.ready_ns or now_ns), 1)
        network.answered += 1
        self.answered += 1
        if network.closed and self._stays and not self._closes and not network.ended:
            # httpcore looks at once whether the server has left, though it had not said that it would.
            self._meter.closed_idle += 1
        return None


class _Transport(httpx.AsyncBaseTransport):
    """httpx's own, made again of what httpcore has in public: httpx takes no network from its callers."""

    def __init__(self, network: httpcore.AsyncNetworkBackend, context: ssl.SSLContext | None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=1, max_keepalive_connections=1, network_backend=network
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        response = await self._pool.handle_async_request(asked)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a response, as httpcore reads it."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


def _client(network: httpcore.AsyncNetworkBackend, context: ssl.SSLContext | None) -> httpx.AsyncClient:
    """A client of one connection that keeps nothing of a response and looks at no environment."""
    return httpx.AsyncClient(
        transport=_Transport(network, context),
        trust_env=False,
        timeout=None,  # noqa: S113  # a request has one deadline, of our own: httpx's begins again with each read
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


def _request(plan: Plan, target: Target) -> httpx.Request:
    """cannon's own request, with nothing left to httpx to add."""
    head, _, body = Request.build(plan, plan.steps[0]).data.partition(b"\r\n\r\n")
    fields = [line.partition(b": ")[::2] for line in head.split(b"\r\n")[1:]]
    return httpx.Request(
        plan.method,
        f"{target.scheme}://{target.authority}/",
        headers=fields,
        stream=httpx.ByteStream(body),
        extensions={"target": target.path.encode("ascii")},
    )


def _stays(response: httpx.Response) -> bool:
    """Whether the server says with a response that the connection stays open (RFC 9112, section 9.3)."""
    options = response.headers.get("connection", "").lower().split(",")
    return response.http_version == "HTTP/1.1" and "close" not in [option.strip() for option in options]


def _where(network: Network) -> str:
    if network.first_byte_ns:
        return "in mid-response"
    return "before any byte of a response" + ("" if network.fresh else ", on a reused connection")


def _fault(error: Exception, network: Network, *, in_head: bool) -> tuple[Fault, str]:
    """What httpx's exception is called here, by what was seen on the connection; and what to tell of it."""
    if network.broken is not None:
        fault = Fault.RESET if network.first_byte_ns or network.fresh else Fault.STALE
        if isinstance(system_error(network.broken), ssl.SSLError):
            fault = Fault.TLS
        return fault, f"{reason_of(network.broken)}, {_where(network)}"
    if network.ended and not network.first_byte_ns:
        return Fault.EMPTY_REPLY if network.fresh else Fault.STALE, f"closed {_where(network)}"
    if network.start and not starts_a_head(network.start):
        return Fault.MALFORMED, no_http(network.start)
    # httpcore's exceptions carry that of the parser, which suggests a status to servers.
    if in_head and any(getattr(cause, "error_status_hint", 0) == _HEAD_TOO_LARGE for cause in error.args):
        return Fault.HEAD_TOO_LARGE, "the response head is larger than httpx takes"
    if network.ended:
        return Fault.TRUNCATED, "closed inside the response head" if in_head else clean(str(error))
    return Fault.MALFORMED, clean(str(error))
