"""Claiming: no default, no plain text on the disk, no endless guessing, no endless session."""

import contextlib
import pathlib
import stat
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.short_codes import new_code, normalised
from shared.errors import ConfigError, Refused, WrongCode
from vehicle.web.claim_codes import MAX_ADDRESSES, MAX_IDLE_S, MAX_SESSION_S, MAX_SESSIONS, ClaimCodes

NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "secrets" / "console.json"


def test_the_first_boot_makes_a_code_and_the_second_does_not(path: pathlib.Path) -> None:
    code = ClaimCodes(path).first_code()
    assert code is not None
    assert ClaimCodes(path).first_code() is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert normalised(code) not in path.read_text()
    token = ClaimCodes(path).claim(code.lower().replace("-", " "), NOW)
    assert token not in path.read_text()
    assert ClaimCodes(path).session(token, NOW + 1) is not None


def test_wrong_codes_are_refused_and_soon_not_even_tried(path: pathlib.Path) -> None:
    claims = ClaimCodes(path)
    code = claims.first_code()
    assert code is not None
    for n in range(5):
        with pytest.raises(Refused, match="not the car's claim code"):
            claims.claim("AAAAA-AAAAA", NOW + n)
    with pytest.raises(Refused, match="wait a minute"):
        claims.claim(code, NOW + 6)
    assert claims.claim(code, NOW + 65)


def test_whoever_tries_codes_keeps_nobody_else_out(path: pathlib.Path) -> None:
    """From many addresses too, of which a few are forgotten; one right code forgets an address's wrong ones."""
    claims = ClaimCodes(path)
    code = claims.new_code()
    for number in range(MAX_ADDRESSES + 10):
        for _ in range(7 if number == 0 else 1):
            with contextlib.suppress(Refused):
                claims._tries.begin(f"10.0.{number // 250}.{number % 250}", NOW)
    assert claims.claim(code, NOW, "10.9.9.9")
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(WrongCode, match="not the car's claim code"):
                claims.claim("AAAAA-AAAAA", NOW, "fd00::1")
        assert claims.claim(code, NOW, "fd00::1")
    assert len(claims._tries._tried_s) <= MAX_ADDRESSES
    for number in range(5):  # the /64 is one machine's
        claims._tries.begin(f"fd00::{number}", NOW)
    with pytest.raises(WrongCode, match="wait a minute"):
        claims.claim(code, NOW, "fd00::99")


def test_tries_at_the_same_time_are_counted_before_they_are_known_to_be_wrong(path: pathlib.Path) -> None:
    claims = ClaimCodes(path)
    claims.first_code()
    begun = 0
    for _ in range(20):
        with contextlib.suppress(WrongCode):
            claims._tries.begin("10.0.0.1", NOW)
            begun += 1
    assert begun == 5


@pytest.mark.parametrize("code", ["", "-", "x" * 10_000, "\0", "ñandú"])
def test_odd_codes_are_refused(path: pathlib.Path, code: str) -> None:
    claims = ClaimCodes(path)
    claims.first_code()
    with pytest.raises(Refused):
        claims.claim(code, NOW)


def test_nothing_opens_a_car_without_a_code(path: pathlib.Path) -> None:
    with pytest.raises(Refused):
        ClaimCodes(path).claim("", NOW)
    assert ClaimCodes(path).session("", NOW) is None


@pytest.mark.parametrize(
    ("later_s", "is_open"),
    [(1, True), (MAX_IDLE_S - 1, True), (MAX_IDLE_S + 1, False), (MAX_SESSION_S + 1, False), (-1, False)],
)
def test_a_session_ends(path: pathlib.Path, later_s: float, is_open: bool) -> None:
    claims = ClaimCodes(path)
    token = claims.claim(claims.new_code(), NOW)
    assert (claims.session(token, NOW + later_s) is not None) == is_open


def test_a_session_that_is_used_ends_too(path: pathlib.Path) -> None:
    claims = ClaimCodes(path)
    token = claims.claim(claims.new_code(), NOW)
    hours = [claims.session(token, NOW + hour * 3600) is not None for hour in range(14)]
    assert hours == [True] * 12 + [False] * 2


def test_a_new_code_and_leaving_end_sessions(path: pathlib.Path) -> None:
    claims = ClaimCodes(path)
    code = claims.new_code()
    one, other = claims.claim(code, NOW), claims.claim(code, NOW)
    claims.leave(one)
    assert claims.session(one, NOW) is None
    assert claims.session(other, NOW) is not None
    ClaimCodes(path).new_code()  # by `raceday vehicle claim`, another process
    assert claims.session(other, NOW) is None


@pytest.mark.slow
def test_sessions_do_not_pile_up(path: pathlib.Path) -> None:
    claims = ClaimCodes(path)
    code = claims.new_code()
    tokens = [claims.claim(code, NOW + n) for n in range(MAX_SESSIONS + 2)]
    assert [claims.session(token, NOW + 30) is not None for token in tokens] == [False] * 2 + [True] * MAX_SESSIONS


def test_a_damaged_file_is_one_sentence_and_a_new_code_mends_it(path: pathlib.Path) -> None:
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(ConfigError, match="raceday vehicle claim"):
        ClaimCodes(path).first_code()
    assert ClaimCodes(path).new_code()


@given(st.text(max_size=60))
def test_a_code_is_read_as_meant(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    assert set(normalised(text)) <= set(string.ascii_uppercase + string.digits)


def test_codes_differ() -> None:
    assert len({new_code() for _ in range(100)}) == 100
    assert len(normalised(new_code())) == 10
