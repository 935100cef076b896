"""Tokens of links, and which of the kinds of dead a link is."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core import invite
from leaderboard.core.invite import Invitation, TokenEnd
from shared.errors import Refused
from tests.leaderboard.sample_races import race

NOW = 1_000
LINK = Invitation("cup", 2, "00", "salt", 1, max_uses=3, expires_utc_ns=NOW + 10)
TOO_LATE = NOW + 400 * 86_400 * 10**9


@pytest.mark.parametrize(
    ("link", "newest", "of_race", "now", "end"),
    [
        ({}, 2, {}, NOW, None),
        ({"max_uses": None, "expires_utc_ns": None, "uses": 99}, 2, {}, TOO_LATE, None),
        ({"uses": 2}, 2, {}, NOW, None),
        ({"uses": 3}, 2, {}, NOW, "used_up"),
        ({}, 2, {}, NOW + 9, None),
        ({}, 2, {}, NOW + 10, "expired"),
        ({}, 3, {}, NOW, "reset"),
        ({"uses": 3}, 3, {}, NOW + 10, "reset"),
        ({"uses": 3}, 2, {}, NOW + 10, "expired"),
        ({}, 2, {"opens_utc_ns": NOW + 5}, NOW, None),
        ({}, 2, {"closes_utc_ns": NOW}, NOW, "race_over"),
        ({}, 3, {"closed_utc_ns": NOW}, NOW, "race_over"),
        ({}, 2, {"stage": "provisional"}, NOW, "race_over"),
        ({}, 2, {"stage": "final"}, NOW, "race_over"),
        ({}, 2, {"stage": "deleted"}, NOW, "race_over"),
    ],
)
def test_which_links_are_dead(
    link: dict[str, Any], newest: int, of_race: dict[str, Any], now: int, end: TokenEnd | None
) -> None:
    assert invite.ended(dataclasses.replace(LINK, **link), newest, race(**of_race), now) == end


@given(st.binary(min_size=32, max_size=32), st.integers(1, 10**6), st.text(max_size=40))
@settings(max_examples=30)
def test_a_token_is_one_of_the_key_the_race_the_generation_and_the_salt(key: bytes, generation: int, salt: str) -> None:
    token = invite.token(key, "cup", generation, salt)
    assert invite.is_token(token)
    assert token == invite.token(key, "cup", generation, salt)
    others = [(key + b"x", "cup", generation, salt), (key, "cup2", generation, salt)]
    others += [(key, "cup", generation + 1, salt), (key, "cup", generation, salt + "x")]
    assert token not in {invite.token(*other) for other in others}
    assert token not in invite.token_sha256(token)


@given(st.text(max_size=30))
@settings(max_examples=50)
def test_other_texts_are_no_tokens(text: str) -> None:
    fits = len(text) == 22 and text.isascii() and all(each.isalnum() or each in "-_" for each in text)
    assert invite.is_token(text) == fits


@pytest.mark.parametrize(
    ("expires", "uses", "said"),
    [
        (NOW, None, "expired already"),
        (TOO_LATE, None, "more than a year"),
        (None, 0, "for 0 racers is not possible: give 1 to 10000"),
        (None, 10_001, "not possible"),
    ],
)
def test_limits_that_make_no_sense_are_refused(expires: int | None, uses: int | None, said: str) -> None:
    with pytest.raises(Refused, match=said):
        invite.check_limits(expires, uses, NOW)


def test_limits_that_make_sense() -> None:
    invite.check_limits(None, None, NOW)
    invite.check_limits(NOW + 1, 10_000, NOW)
