"""Claiming: no default, no plain text on the disk, no endless guessing, no endless session."""

import hashlib
import json
import pathlib
import stat
import string
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.short_codes import new_code, normalised
from shared.errors import ConfigError, Refused
from vehicle.web import claim_codes
from vehicle.web.claim_codes import COST, MAX_ADDRESSES, MAX_IDLE_S, MAX_SESSION_S, MAX_SESSIONS, ClaimCodes

NOW = 1_800_000_000.0


def quick(path: pathlib.Path) -> ClaimCodes:
    return ClaimCodes(path, rounds=1)


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "secrets" / "console.json"


def test_the_first_boot_makes_a_code_and_the_second_does_not(path: pathlib.Path) -> None:
    code = quick(path).first_code()
    assert code is not None
    assert quick(path).first_code() is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert normalised(code) not in path.read_text()
    token = quick(path).claim(code.lower().replace("-", " "), NOW)
    assert token not in path.read_text()
    assert quick(path).session(token, NOW + 1) is not None


def test_wrong_codes_are_refused_and_soon_not_even_tried_but_never_the_owners(path: pathlib.Path) -> None:
    claims = quick(path)
    code = claims.first_code()
    assert code is not None
    for n in range(5):
        with pytest.raises(Refused, match="not the car's claim code"):
            claims.claim("AAAAA-AAAAA", NOW + n, "192.0.2.7")
    with pytest.raises(Refused, match="wait a minute"):
        claims.claim(code, NOW + 5, "192.0.2.7")
    assert claims.claim(code, NOW + 5, "192.0.2.8")
    assert claims.claim(code, NOW + 70, "192.0.2.7")


def test_a_network_of_ipv6_is_one_address_and_few_addresses_are_remembered(path: pathlib.Path) -> None:
    claims = quick(path)  # without a file every code is wrong, and none is compared
    for n in range(5):
        with pytest.raises(Refused, match="not the car's claim code"):
            claims.claim("AAAAA-AAAAA", NOW, f"2001:db8::{n}")
    with pytest.raises(Refused, match="wait a minute"):
        claims.claim("AAAAA-AAAAA", NOW, "2001:db8::99")
    for n in range(MAX_ADDRESSES):
        with pytest.raises(Refused, match="not the car's claim code"):
            claims.claim("AAAAA-AAAAA", NOW, f"10.0.{n // 256}.{n % 256}")
    with pytest.raises(Refused, match="not the car's claim code"):
        claims.claim("AAAAA-AAAAA", NOW, "2001:db8::99")


def test_a_phone_that_claims_again_loses_its_old_session_and_the_log_says_who_claimed(
    path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    claims = quick(path)
    code = claims.new_code()
    old = claims.claim(code, NOW, "192.0.2.7")
    fresh = claims.claim(code, NOW + 1, "192.0.2.7", old)
    assert claims.session(old, NOW + 2) is None
    assert claims.session(fresh, NOW + 2) is not None
    assert caplog.messages == ["console: a phone at 192.0.2.7 claimed this car."] * 2
    assert code not in caplog.text


def test_while_a_code_is_compared_phones_go_on_and_a_new_code_counts_at_once(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = quick(path)
    code = claims.new_code()
    token = claims.claim(code, NOW)
    seen: list[bool] = []

    def slowly(typed: str, file: claim_codes.ClaimFile) -> bool:
        phone = threading.Thread(target=lambda: seen.append(claims.session(token, NOW + 1) is not None), daemon=True)
        phone.start()
        phone.join(20)
        quick(path).new_code()  # by `raceday vehicle claim`, another process
        return True

    monkeypatch.setattr(claim_codes, "_is_code", slowly)
    with pytest.raises(Refused, match="not the car's claim code"):
        claims.claim(code, NOW)
    assert seen == [True]


def test_comparing_a_code_is_as_much_work_as_is_advised(path: pathlib.Path) -> None:
    """OWASP, Password Storage Cheat Sheet, 2025: N=2^14, r=8, p=5 is the least with 16 MiB."""
    claims = ClaimCodes(path)
    assert (COST, json.loads(path.read_text())["rounds"] if claims.first_code() else 0) == (2**14, 5)


def test_a_code_of_an_earlier_version_still_opens(path: pathlib.Path) -> None:
    salt = "00" * 16
    hashed = hashlib.scrypt(b"ABCDEFGHJK", salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()
    path.parent.mkdir()
    path.write_text(json.dumps({"salt": salt, "code_scrypt": hashed, "sessions": [], "v": 1}))
    claims = quick(path)
    token = claims.claim("abcde-fghjk", NOW)
    assert claims.session(token, NOW) is not None
    assert quick(path).claim("abcde-fghjk", NOW)


@pytest.mark.parametrize("code", ["", "-", "x" * 10_000, "\0", "ñandú"])
def test_odd_codes_are_refused(path: pathlib.Path, code: str) -> None:
    claims = quick(path)
    claims.first_code()
    with pytest.raises(Refused):
        claims.claim(code, NOW)


def test_nothing_opens_a_car_without_a_code(path: pathlib.Path) -> None:
    with pytest.raises(Refused):
        quick(path).claim("", NOW)
    assert quick(path).session("", NOW) is None


@pytest.mark.parametrize(
    ("later_s", "is_open"),
    [(1, True), (MAX_IDLE_S - 1, True), (MAX_IDLE_S + 1, False), (MAX_SESSION_S + 1, False), (-1, False)],
)
def test_a_session_ends(path: pathlib.Path, later_s: float, is_open: bool) -> None:
    claims = quick(path)
    token = claims.claim(claims.new_code(), NOW)
    assert (claims.session(token, NOW + later_s) is not None) == is_open


def test_a_session_that_is_used_ends_too(path: pathlib.Path) -> None:
    claims = quick(path)
    token = claims.claim(claims.new_code(), NOW)
    hours = [claims.session(token, NOW + hour * 3600) is not None for hour in range(14)]
    assert hours == [True] * 12 + [False] * 2


def test_a_new_code_and_leaving_end_sessions(path: pathlib.Path) -> None:
    claims = quick(path)
    code = claims.new_code()
    one, other = claims.claim(code, NOW), claims.claim(code, NOW)
    claims.leave(one)
    assert claims.session(one, NOW) is None
    assert claims.session(other, NOW) is not None
    quick(path).new_code()  # by `raceday vehicle claim`, another process
    assert claims.session(other, NOW) is None


@pytest.mark.slow
def test_sessions_do_not_pile_up(path: pathlib.Path) -> None:
    claims = quick(path)
    code = claims.new_code()
    tokens = [claims.claim(code, NOW + n) for n in range(MAX_SESSIONS + 2)]
    assert [claims.session(token, NOW + 30) is not None for token in tokens] == [False] * 2 + [True] * MAX_SESSIONS


def test_a_damaged_file_is_one_sentence_and_a_new_code_mends_it(path: pathlib.Path) -> None:
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(ConfigError, match="raceday vehicle claim"):
        quick(path).first_code()
    assert quick(path).new_code()


@given(st.text(max_size=60))
def test_a_code_is_read_as_meant(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    assert set(normalised(text)) <= set(string.ascii_uppercase + string.digits)


def test_codes_differ() -> None:
    assert len({new_code() for _ in range(100)}) == 100
    assert len(normalised(new_code())) == 10
