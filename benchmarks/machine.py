"""What figures were taken on: the machine, the programs, the commit. Figures without these say nothing."""

from __future__ import annotations

import os
import platform
import re
import ssl
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from cannon.host import this_host
from cannon.version import is_compiled
from clients import CLIENTS, Client
from targets import nginx_program

__all__ = ["commit", "described", "version_in", "version_of"]

_ROOT = Path(__file__).resolve().parent.parent


def described(programs: Mapping[str, tuple[str, ...]]) -> str:
    """Name the day, the machine, and every program with its version."""
    host = this_host()
    parts = [
        time.strftime("%Y-%m-%d"),
        f"{host.cpu}, {host.cores} cores",
        host.kernel,
        f"Python {platform.python_version()}",
        " ".join(ssl.OPENSSL_VERSION.split()[:2]),
        "nginx " + version_in(_said([nginx_program(), "-v"]), r"nginx/(\S+)"),
        *(f"{name} {_told(name, program)}" for name, program in programs.items()),
        f"commit {commit()}",
    ]
    return ", ".join(parts)


def _told(name: str, program: tuple[str, ...]) -> str:
    """A client's version, and of the cannon of this Python whether it is compiled: its costs are not the same."""
    version = version_of(CLIENTS[name], name, program)
    if name != "cannon":
        return version
    return f"{version} ({'compiled' if is_compiled() else 'plain Python'})"


def version_of(client: Client, name: str, program: tuple[str, ...]) -> str:
    """Return a client's version as it tells it, or else that of its Debian package."""
    if client.version is not None:
        option, pattern = client.version
        with tempfile.TemporaryDirectory() as home:  # some write settings there, even when asked this alone
            environment = {**os.environ, "HOME": home} if client.files else None
            return version_in(_said([*program, option], environment), pattern)
    package = client.install.split()[-1]
    found = _said(["dpkg-query", "--show", "--showformat=${Version}", package])
    return found if found[:1].isdigit() else "of unknown version"


def version_in(said: str, pattern: str) -> str:
    """Return what the pattern's group matches in what a program said of itself."""
    found = re.search(pattern, said)
    return found[1] if found else "of unknown version"


def commit() -> str:
    """Return the commit that this file is of, and whether the folder differs from it."""
    git = ["git", "-C", str(_ROOT), "--no-optional-locks"]
    name = _said([*git, "rev-parse", "--short", "HEAD"]).strip()
    return f"{name} with changes" if _said([*git, "status", "--porcelain"]).strip() else name


def _said(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a command says on either stream; nothing where there is no such program."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
