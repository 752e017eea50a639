from __future__ import annotations

import argparse
import os

import pytest

from script import positive, two_cores


@pytest.mark.parametrize("text", ["0", "-1", "ten", "1.5", ""])
def test_an_amount_below_one_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no number of 1 or more"):
        positive(text)


def test_a_number_is_read() -> None:
    assert positive("12") == 12


def test_client_and_server_have_a_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5, 3, 9})
    assert two_cores() == (3, 5)


def test_a_script_ends_where_there_is_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    with pytest.raises(SystemExit, match="two cores are needed"):
        two_cores()
