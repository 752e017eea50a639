from __future__ import annotations

import pytest

from cannon.cli.elsewhere import ELSEWHERE, EXPLAINED, FLAGS_ELSEWHERE
from cannon.cli.later import LATER_OPTIONS
from cannon.cli.options import OPTIONS

NAMES = {name: option for option in OPTIONS for name in option.names}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_name_of_other_tools_is_none_of_cannons_and_leads_to_one(name: str) -> None:
    assert name not in NAMES
    assert name not in LATER_OPTIONS
    assert ELSEWHERE[name] in NAMES


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_name_that_has_no_one_meaning_leads_to_no_single_option(name: str) -> None:
    assert name not in NAMES
    assert name not in LATER_OPTIONS
    assert name not in ELSEWHERE


@pytest.mark.parametrize("name", FLAGS_ELSEWHERE)
def test_a_flag_that_takes_a_value_elsewhere_takes_none_here(name: str) -> None:
    assert NAMES[name].read is None
