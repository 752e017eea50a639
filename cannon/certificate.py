"""A certificate for this machine, made on the spot by openssl: it signs itself, and is good for a day.

Law: its key never leaves the folder it is made in, and is readable by its owner alone.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cannon.errors import InvalidRun, UsageError
from cannon.programs import path_of
from cannon.text import clean

__all__ = ["make", "places"]

_LIMIT_S = 20.0
_WORDS = (
    *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"),
    *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"),
)


def places(folder: Path) -> dict[str, str]:
    """Where the certificate will be, with its key, as HAProxy wants it, and its key alone."""
    return {"cert": os.fspath(folder / "cert.pem"), "key": os.fspath(folder / "key.pem")}


def make(folder: Path) -> None:
    """Make it in its places.

    UsageError where there is no openssl, InvalidRun where it fails.
    """
    openssl = path_of("openssl")
    if openssl is None:
        raise UsageError(
            "openssl: not found, and it makes the certificate; on Debian: apt-get install openssl"
        )
    key, certificate = (Path(places(folder)[name]) for name in ("key", "cert"))
    try:
        done = subprocess.run(
            [openssl, *_WORDS, "-keyout", os.fspath(key), "-out", os.fspath(certificate)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
        if done.returncode:
            raise InvalidRun(f"openssl made no certificate: {clean(done.stderr)}")
        for path in (key, certificate):
            path.chmod(0o600)
        with open(certificate, "ab") as both:
            both.write(key.read_bytes())
    except subprocess.TimeoutExpired:
        raise InvalidRun(f"openssl made no certificate within {_LIMIT_S:g} s") from None
    except OSError as error:
        raise InvalidRun(f"there is no certificate: {clean(error.strerror or str(error))}") from None
