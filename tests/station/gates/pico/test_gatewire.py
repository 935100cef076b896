"""The Pico gate's protocol, in the same file as on the Pico, which must stay within what MicroPython has."""

import ast
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.gates.pico.firmware import gatewire
from station.gates.pico.firmware.gatewire import CheckedLineReader, Counter, GateFirmware, crc16, pack, unpack

FIRMWARE = pathlib.Path(gatewire.__file__).parent


def test_the_check_is_the_well_known_one() -> None:
    assert crc16(b"123456789") == 0x29B1


@given(st.lists(st.from_regex(r"[A-Za-z0-9]{1,12}", fullmatch=True), min_size=1, max_size=5))
def test_what_is_packed_is_unpacked(fields: list[str]) -> None:
    assert unpack(pack(*fields)[:-1]) == fields


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    line = bytearray(pack("E", "00c0ffee", 17, 1, 0, 123456789))[:-1]
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    assert unpack(bytes(line)) != ["E", "00c0ffee", "17", "1", "0", "123456789"] or bytes(line).endswith(b"\r")


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_noise_never_raises_and_never_grows(chunks: list[bytes]) -> None:
    lines = CheckedLineReader()
    for chunk in chunks:
        lines.feed(chunk)
    lines.feed(b"\n")
    assert lines.feed(pack("P", 1)) == [["P", "1"]]


@pytest.mark.parametrize("cut", range(1, len(pack("P", 1) + pack("P", 2))))
def test_any_split(cut: int) -> None:
    both, lines = pack("P", 1) + pack("P", 2), CheckedLineReader()
    assert lines.feed(both[:cut]) + lines.feed(both[cut:]) == [["P", "1"], ["P", "2"]]
    assert lines.dropped_bytes == 0


def test_an_endless_line_is_bounded_and_counted() -> None:
    lines = CheckedLineReader()
    for _ in range(1000):
        lines.feed(b"x" * 100)
    assert lines.feed(b"\n" + pack("P", 1)) == [["P", "1"]]
    assert lines.dropped_bytes == 100_001


@given(st.integers(2, 64), st.lists(st.integers(0, 2**28), min_size=1, max_size=50))
def test_a_counter_is_extended_over_its_wraps(start: int, steps: list[int]) -> None:
    counter, true = Counter(30), start
    first = counter.extend(true & 0x3FFFFFFF)
    for step in steps:
        true += step
        assert counter.extend(true & 0x3FFFFFFF) - first == true - start


def test_a_reading_from_before_the_wrap_stays_before_it() -> None:
    counter = Counter(32)
    assert [counter.extend(ticks) for ticks in (2**32 - 10, 5, 2**32 - 3)] == [2**32 - 10, 2**32 + 5, 2**32 - 3]


def test_it_speaks_of_edges_when_it_was_asked() -> None:
    gate = GateFirmware("aa")
    gate.edge(1000, 0, 0)
    assert gate.next_edges() == b""
    assert gate.on_data(pack("R", "aa", 0), 5) == pack("H", "aa", 1, 1, 0b1110)
    assert gate.next_edges() == pack("E", "aa", 1, 0, 0, 1000)
    gate.edge(2000, 0, 1)
    assert gate.next_edges() == pack("E", "aa", 2, 0, 1, 2000)
    assert gate.next_edges() == b""


def test_a_pong_says_when_the_ping_was_read() -> None:
    assert GateFirmware("aa").on_data(pack("P", 7), 123) == pack("Q", "aa", 7, 123)


def test_it_tells_again_and_forgets_the_oldest() -> None:
    gate = GateFirmware("aa", ring=4)
    for number in range(1, 11):
        gate.edge(number * 10, 1, number % 2)
    assert gate.on_data(pack("R", "aa", 3), 0) == pack("H", "aa", 7, 10, 0b1101)
    lines = CheckedLineReader().feed(gate.next_edges())
    assert [fields[2] for fields in lines] == ["7", "8", "9", "10"]
    gate.on_data(pack("R", "another", 9), 0)
    assert CheckedLineReader().feed(gate.next_edges())[0][2] == "7"


def test_a_question_from_beyond_its_end_is_harmless() -> None:
    gate = GateFirmware("aa")
    gate.edge(10, 0, 0)
    gate.on_data(pack("R", "aa", 99), 0)
    gate.edge(20, 0, 1)
    assert CheckedLineReader().feed(gate.next_edges())[0][2] == "2"


def test_a_long_replay_lets_pings_through() -> None:
    gate = GateFirmware("aa")
    for number in range(100):
        gate.edge(number, 0, number % 2)
    gate.on_data(pack("R", "aa", 0), 0)
    assert len(CheckedLineReader().feed(gate.next_edges())) == gatewire.AT_ONCE


@pytest.mark.parametrize("name", ["gatewire.py", "main.py"])
def test_it_needs_only_what_a_pico_has(name: str) -> None:
    """No imports but MicroPython's own and gatewire; no syntax that MicroPython lacks (match, class decorators)."""
    tree = ast.parse((FIRMWARE / name).read_text())
    has = {"os", "select", "sys", "array", "time", "machine", "gatewire"}
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match | ast.AsyncFunctionDef | ast.JoinedStr)
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= has
        if isinstance(node, ast.ImportFrom):
            assert node.module in has
