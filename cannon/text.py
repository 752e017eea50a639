"""Foreign text made safe to show, and secrets taken out of what is kept.

Law: text from outside (a server, a file, the command line) passes here once, at the border, before it reaches a
terminal, a log or a report; a secret is redacted when it is captured, not when it is rendered. When in doubt, a value
is redacted: a run can be repeated by the one who knows the secret, a leak cannot be taken back.

Escaped is what `str.isprintable` refuses: the Unicode categories Cc (C0, DEL, C1), Cf (bidi controls, zero-width
characters), Cs (lone surrogates: what the system could not decode), Zl and Zp (line separators), Zs but for the space,
and characters that are not assigned. URL parts are those of RFC 3986, section 3.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_plus

__all__ = ["REDACTED", "clean", "redact_command", "redact_headers", "redact_text", "redact_url"]

REDACTED = "***"

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def clean(text: str | bytes, limit: int = 200) -> str:
    r"""Return one line of at most `limit` characters in which whatever could move a terminal is a visible escape.

    Bytes are read as UTF-8, and what is not UTF-8 shows as `\xff`. Longer text ends in an ellipsis. An escape is never
    cut in two. Cleaning twice is cleaning once. The work is bounded by `limit`, not by the text.
    """
    if isinstance(text, bytes):
        # No character takes more than four bytes, so the cut cannot reach the characters that are kept.
        text = text[: 4 * limit + 4].decode("utf-8", "backslashreplace")
    if len(text) <= limit and text.isprintable():
        return text
    kept: list[str] = []
    room = limit
    for character in text[: limit + 1]:
        shown = _visible(character)
        kept.append(shown)
        room -= len(shown)
        if room < 0:
            return _shortened(kept, limit)
    return "".join(kept)


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return _SHORT_ESCAPES.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _shortened(kept: list[str], limit: int) -> str:
    length = sum(map(len, kept))
    while kept and length > limit - len(_ELLIPSIS):
        length -= len(kept.pop())
    return "".join(kept) + _ELLIPSIS


# Whole words of a name, however it is spelled: api_key, X-Api-Key, accessToken.
_SECRET_WORDS = frozenset(
    {
        "apikey",
        "auth",
        "authentication",
        "authorization",
        "bearer",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "jwt",
        "key",
        "pass",
        "passphrase",
        "passwd",
        "password",
        "pwd",
        "secret",
        "session",
        "sid",
        "sig",
        "signature",
        "token",
    }
)
# The same, glued to another word: authtoken, clientsecret.
_SECRET_ENDINGS = ("apikey", "passwd", "password", "secret", "sessid", "sessionid", "signature", "token")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def _is_secret(name: str) -> bool:
    """Whether a header, a parameter or an option of this name holds a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words)


def redact_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers in their order, the values of secret ones replaced, URLs in the others redacted."""
    return [(name, REDACTED if _is_secret(name) else redact_text(value)) for name, value in headers]


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PLAIN_AUTHORITY = re.compile(r"[^:]*(?::[0-9]*)?|\[[^\]]*\](?::[0-9]*)?")
# `user:password@` without a scheme, and not `host:80/…@`.
_BARE_USERINFO = re.compile(r"[^\s/?#@:]+:(?![0-9]*(?:[/?#]|\Z))\S*@")
# A parameter and its value. The value takes in a `;` that starts no parameter of its own.
_PARAMETER = re.compile(r"(?<=[?&;#])([^=&;#?]*)=([^&;#]*(?:;[^=&;#]*(?=[;&#]|\Z))*)")
_LINE = re.compile(r"[^\r\n]+")
# The name of a header, and not of a host: a colon right before a number is that of a port.
_HEADER = re.compile(
    r"(?<![\w-])((?:\w+-)+\w+|authorization|cookie)\s*:(?![0-9]{1,5}(?![\w.-]))\s*(?=\S)", re.IGNORECASE
)
_NESTED_URLS = 3


def redact_url(url: str) -> str:
    """Return the URL without its userinfo and without the values of token-like parameters (query and fragment).

    Never raises: in what is no URL, whatever looks like userinfo or a secret parameter is replaced all the same.
    """
    return _without_parameters(_without_userinfo(url), _NESTED_URLS)


def redact_text(text: str) -> str:
    """Return prose, such as an error's message, with each URL in it redacted, and what follows the name of a secret
    header in its line. White space is kept.
    """
    return _LINE.sub(_redacted_header, "".join(map(_redacted_word, re.split(r"(\s+)", text))))


def _redacted_header(line: re.Match[str]) -> str:
    """A line in which somebody quotes a header: where its value ends nobody can tell."""
    for found in _HEADER.finditer(line[0]):
        if _is_secret(found[1]):
            return line[0][: found.end()] + REDACTED
    return line[0]


def _redacted_word(word: str) -> str:
    """Redact what may be a URL, or something else with an `@` in it: a gate, an address of mail."""
    if "://" in word or _BARE_USERINFO.match(word):
        return redact_url(word)
    return _without_parameters(word, _NESTED_URLS)


def _without_userinfo(url: str) -> str:
    scheme_end = url.find("://")
    start = scheme_end + 3 if scheme_end >= 0 else 2 if url.startswith("//") else 0
    if url.startswith(("/", "?", "#"), start):
        return url
    userinfo_end = url.rfind("@", start, _authority_end(url, start))
    if userinfo_end < 0 and not _PLAIN_AUTHORITY.fullmatch(url, start, _authority_end(url, start)):
        # A password with a raw / ? or # in it: no valid URL, and still a secret.
        userinfo_end = url.rfind("@", start)
    return url if userinfo_end < 0 else url[:start] + REDACTED + url[userinfo_end:]


def _authority_end(url: str, start: int) -> int:
    places = (url.find(delimiter, start) for delimiter in "/?#")
    return min((place for place in places if place >= 0), default=len(url))


def _without_parameters(url: str, depth: int) -> str:
    def replaced(found: re.Match[str]) -> str:
        name, value = found.groups()
        return f"{name}={_redacted_value(unquote_plus(name), value, depth)}"

    return _PARAMETER.sub(replaced, url)


def _redacted_value(name: str, value: str, depth: int) -> str:
    if not value:
        return value
    if _is_secret(name):
        return REDACTED
    nested = unquote_plus(value)
    if "://" not in nested and "?" not in nested:
        return value
    safe = _without_parameters(_without_userinfo(nested), depth - 1) if depth else REDACTED
    if safe == nested:
        return value
    return safe if nested == value else REDACTED


# Bodies and form fields: what is secret in them cannot be told.
_BODY_OPTIONS = frozenset({"--body", "--form"})
# Names with a secret word in them whose values are a path and a choice.
_HARMLESS_OPTIONS = frozenset({"--key", "--tls-session"})
_LONG_OPTION = re.compile(r"(--[A-Za-z][A-Za-z0-9-]*)(?:=(.*))?", re.DOTALL)
# Behind options that take no value, too: -lb BODY.
_SHORT_BODY = re.compile(r"(-[lnjkxICfVvh]*[bF]=?)(.+)", re.DOTALL)
_SHORT_BODY_ALONE = re.compile(r"-[lnjkxICfVvh]*[bF]")
# NAME: VALUE or NAME=VALUE, with or without the short option it is attached to.
_NAMED = re.compile(r"((?:-[A-Za-z]*H=?)?([A-Za-z0-9_.-]+)\s*[:=]\s*)(.+)", re.DOTALL)
_COMMAND_LIMIT = 4000


def redact_command(argv: Sequence[str]) -> str:
    """Return the command line as one line for a shell, secrets replaced, bodies and form fields always.

    Works on the raw arguments, before any parser: it cannot know what a stranger's option means (the command after
    `--`), so a secret name with a value counts wherever it stands.
    """
    return clean(shlex.join(_redacted_arguments(argv)), _COMMAND_LIMIT)


def _redacted_arguments(argv: Iterable[str]) -> list[str]:
    shown: list[str] = []
    hide_next = False
    for argument in argv:
        shown.append(REDACTED if hide_next else _redacted_argument(argument))
        hide_next = not hide_next and _hides(argument)
    return shown


def _hides(option: str) -> bool:
    """Whether the value of this option, `=` not in it, is to be hidden."""
    if option in _BODY_OPTIONS or _SHORT_BODY_ALONE.fullmatch(option):
        return True
    return (
        option.startswith("--")
        and "=" not in option
        and option not in _HARMLESS_OPTIONS
        and _is_secret(option)
    )


def _redacted_argument(argument: str) -> str:
    if option := _LONG_OPTION.fullmatch(argument):
        name, value = option.groups()
        if value is None:
            return argument
        return f"{name}={REDACTED if _hides(name) else _redacted_argument(value)}"
    if body := _SHORT_BODY.fullmatch(argument):
        return body[1] + REDACTED
    named = _NAMED.fullmatch(argument)
    # A side may well be called `auth`: a URL after the `=` is redacted as a URL.
    if named and _is_secret(named[2]) and not _SCHEME.match(named[3]):
        return named[1] + REDACTED
    return _redacted_line(argument)


def _redacted_line(argument: str) -> str:
    """Redact an argument that may hold others: a group, a command with its options."""
    try:
        words = shlex.split(argument)
    except ValueError:
        # An open quote: no group, and no command that could be run.
        words = []
    if len(words) > 1 and (shown := _redacted_arguments(words)) != words:
        return " ".join(shlex.quote(word) if " " in word else word for word in shown)
    return redact_text(argument)
