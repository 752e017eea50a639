"""Options of https: whom to trust, and what to show."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["TLS"]

_SECTION = "TLS"

TLS: tuple[Option, ...] = (
    Option(
        ("-k", "--insecure"), "insecure", None, "do not verify the server's certificate", section=_SECTION
    ),
    Option(
        ("--ca",),
        "ca",
        values.paths,
        "trust these certificates too, besides the system's; may be repeated",
        section=_SECTION,
        example="--ca ca.pem",
        metavar="FILE",
        multiple=True,
    ),
    Option(
        ("-s", "--servername"),
        "servername",
        values.host_name,
        "name to ask for (SNI) and to verify, instead of the URL's host",
        section=_SECTION,
        example="-s www.example.com",
        metavar="NAME",
        elsewhere="wrk's -s, a script, has no counterpart here yet",
    ),
    Option(
        ("--cert",),
        "cert",
        values.path,
        "certificate to show to the server, PEM; its key may stand in the same file",
        section=_SECTION,
        example="--cert client.pem",
        metavar="FILE",
    ),
    Option(
        ("--key",),
        "key",
        values.path,
        "key of that certificate, PEM, not encrypted",
        section=_SECTION,
        example="--key client.key",
        metavar="FILE",
    ),
    Option(
        ("--tls-session",),
        "tls_session",
        values.tls_session,
        "on a connection made again: resume the session, or make a fresh one  [resume]",
        section=_SECTION,
        example="--tls-session fresh",
        metavar="NAME",
    ),
)
