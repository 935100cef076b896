"""main.py runs unchanged on a fake board: its interrupts, its loop, its USB."""

import builtins
import io
import pathlib
import runpy
import types
from collections.abc import Callable
from typing import Any

import pytest

from station.gates.pico.firmware import gatewire
from station.gates.pico.firmware.gatewire import CheckedLineReader, pack

MAIN = pathlib.Path(gatewire.__file__).parent / "main.py"


class Stopped(BaseException):
    """The script of the fake board has ended."""


class Board:
    """Pins with interrupts, a 30-bit microsecond counter that starts before its wrap, stdin and stdout."""

    def __init__(self, script: list[Callable[["Board"], None]]) -> None:
        self.now_us, self.script = 2**30 - 500, script
        self.pins: dict[int, Any] = {}
        self.inbox, self.outbox = io.BytesIO(), io.BytesIO()
        self.was_reset = False

    def ticks_us(self) -> int:
        self.now_us += 1
        return self.now_us & (2**30 - 1)

    def send(self, data: bytes) -> None:
        self.inbox = io.BytesIO(self.inbox.read() + data)

    def read(self, count: int) -> bytes:
        return self.inbox.read(count)

    def poll(self, _wait: int) -> list[int]:
        waiting = self.inbox.getbuffer().nbytes - self.inbox.tell()
        if waiting:
            return [1]
        if not self.script:
            raise Stopped
        self.script.pop(0)(self)
        return []

    def level(self, pin: int, value: int) -> None:
        self.pins[pin].level = value
        self.pins[pin].handler(self.pins[pin])


def pin_class(board: Board) -> type:
    class Pin:
        IN, PULL_UP, IRQ_RISING, IRQ_FALLING = 0, 1, 2, 4

        def __init__(self, number: int, _mode: int, _pull: int) -> None:
            self.level, self.handler = 1, None
            board.pins[number] = self

        def irq(self, handler: Any, edges: int, hard: bool) -> None:
            assert (edges, hard) == (6, True)
            self.handler = handler

        def value(self) -> int:
            return self.level

    return Pin


def run(monkeypatch: pytest.MonkeyPatch, script: list[Callable[[Board], None]]) -> tuple[Board, list[list[str]]]:
    board = Board(script)

    def reset() -> None:
        board.was_reset = True
        raise Stopped

    machine = types.SimpleNamespace(Pin=pin_class(board), reset=reset)
    poller = types.SimpleNamespace(register=lambda *_: None, poll=board.poll)
    stdin = types.SimpleNamespace(buffer=types.SimpleNamespace(read=board.read))
    stdout = types.SimpleNamespace(buffer=board.outbox)
    doubles = {
        "machine": machine,
        "gatewire": gatewire,
        "time": types.SimpleNamespace(ticks_us=board.ticks_us),
        "select": types.SimpleNamespace(poll=lambda: poller, POLLIN=1),
        "sys": types.SimpleNamespace(stdin=stdin, stdout=stdout),
    }
    real = builtins.__import__

    def find(name: str, scope: Any = None, *rest: Any) -> Any:
        ours = scope is not None and scope.get("__name__") == "firmware_main"
        return doubles[name] if ours and name in doubles else real(name, scope, *rest)

    monkeypatch.setattr(builtins, "__import__", find)
    with pytest.raises(Stopped):
        runpy.run_path(str(MAIN), run_name="firmware_main")
    return board, CheckedLineReader().feed(board.outbox.getvalue())


def test_edges_are_stamped_in_the_interrupt_over_a_wrap_and_told_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def later(board: Board) -> None:
        board.now_us += 1_000

    _, lines = run(
        monkeypatch,
        [
            lambda board: board.level(2, 0),
            later,
            lambda board: board.level(2, 1),
            lambda board: board.level(5, 0),
            lambda board: board.send(pack("R", "-", 0) + pack("P", 9)),
            later,
            later,
        ],
    )
    edges = [fields for fields in lines if fields[0] == "E"]
    assert [fields[2:5] for fields in edges] == [["1", "0", "0"], ["2", "0", "1"], ["3", "3", "0"]]
    stamps = [int(fields[5]) for fields in edges]
    assert 1000 < stamps[1] - stamps[0] < 1100
    assert stamps[1] > 2**30, "the counter continues over the wrap of ticks_us"
    assert [fields[2] for fields in lines if fields[0] == "Q"] == ["9"]


def test_each_second_a_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    def later(board: Board) -> None:
        board.now_us += 300_000

    _, lines = run(monkeypatch, [later] * 12)
    assert [fields[0] for fields in lines].count("H") in (3, 4)


def test_edges_that_were_overwritten_end_the_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    def storm(board: Board) -> None:
        for number in range(300):
            board.level(3, number % 2)

    board, _ = run(monkeypatch, [storm, lambda _: None])
    assert board.was_reset
