"""What people write after `raceday install`: understood, or refused with what to write instead."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.install.request import GateRequest, InstallRequest, access_point, check_request, parsed_gate
from shared.errors import OperatorError

PROTOCOLS = frozenset({"p3", "zround"})


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("gpio:17", GateRequest("gpio", pins=(17,))),
        ("gpio:17,27", GateRequest("gpio", pins=(17, 27))),
        ("pico:/dev/ttyACM0", GateRequest("pico", port="/dev/ttyACM0")),
        ("pico:socket://10.0.0.2:4000", GateRequest("pico", port="socket://10.0.0.2:4000")),
        ("zround:/dev/ttyUSB0", GateRequest("decoder", port="/dev/ttyUSB0", protocol="zround")),
        ("p3:socket://h:5403", GateRequest("decoder", port="socket://h:5403", protocol="p3")),
    ],
)
def test_a_gate(text: str, gate: GateRequest) -> None:
    assert parsed_gate(text, PROTOCOLS) == gate


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gpio", "write gpio:17"),
        ("gpio:", "write gpio:17"),
        ("gpio:seventeen", "pins are GPIO"),
        ("gpio:64", "from 0 to 63"),
        ("gpio:-1", "from 0 to 63"),
        ("gpio:17,17", "each pin once"),
        ("gpio:1,2,3,4,5", "at most 4"),
        ("gpio:\u0661", "pins are GPIO"),
        ("pico:COM3", "is no port"),
        ("pico:/dev/tty\nACM0", "is no port"),
        ("mylaps:/dev/ttyUSB0", "neither gpio, pico nor"),
        ("/dev/ttyUSB0", "write gpio:17"),
    ],
)
def test_what_is_no_gate(text: str, words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        parsed_gate(text, PROTOCOLS)


@given(st.text(max_size=80))
def test_any_text_is_a_gate_or_one_sentence(text: str) -> None:
    with contextlib.suppress(OperatorError):
        gate = parsed_gate(text, PROTOCOLS)
        assert gate.port.isprintable()


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (InstallRequest("car", name="car 1\n[motors]"), "--name"),
        (InstallRequest("car", name="../../etc/passwd"), "--name"),
        (InstallRequest("station", name="broker"), "--name"),
        (InstallRequest("car", broker="a b"), "--broker"),
        (InstallRequest("car", broker="station..local"), "--broker"),
        (InstallRequest("car", broker=f"{'a' * 64}.local"), "--broker"),
        (InstallRequest("car", broker=".".join(["a" * 60] * 5)), "--broker"),
        (InstallRequest("car", broker='x"\ny'), "--broker"),
        (InstallRequest("car", profile="../x"), "--profile"),
        (InstallRequest("car", name="car-1", certs="car-2"), "which is it"),
        (InstallRequest("leaderboard", database="sqlite:///x"), "--database"),
        (InstallRequest("leaderboard", database='postgresql://h/d\n"'), "--database"),
        (InstallRequest("leaderboard", host="0.0.0.0\n"), "--host"),
    ],
)
def test_names_and_addresses_that_cannot_be(request_: InstallRequest, words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        check_request(request_)


@pytest.mark.parametrize(
    ("ssid", "country"), [("", "DE"), ("x" * 33, "DE"), ("a\nb", "DE"), ("ok", ""), ("ok", "de"), ("ok", "DE\n")]
)
def test_an_access_point_that_cannot_be(ssid: str, country: str) -> None:
    with pytest.raises(OperatorError):
        access_point(ssid, country, "x" * 16)
