"""Finds the programs of servers: on the path, and where Debian has those that it means for root."""

from __future__ import annotations

import os
import shutil

__all__ = ["path_of"]

_SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def path_of(name: str) -> str | None:
    """The path of a program; None where it is not installed."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_SBIN)))
