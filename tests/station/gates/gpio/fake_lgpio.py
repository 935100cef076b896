"""A fake lgpio for gpiozero's real LGPIOFactory, over a fake kernel: stamps in ns, no pulse too short."""

import time
import types
from collections.abc import Callable
from typing import Any

BUSY, BOTH = "GPIO busy", 3


class LgpioError(Exception):
    """The error that lgpio raises."""


class Kernel:
    """One fake chip of 28 lines; `edge` changes the level of one."""

    def __init__(self, chip: int = 0) -> None:
        self.chip, self.busy = chip, set[int]()
        self.levels = dict.fromkeys(range(28), 1)
        self.flags = dict.fromkeys(range(28), 0)
        self.callbacks: dict[int, Callable[[int, int, int, int], None]] = {}

    def edge(self, line: int, level: int, at_ns: int | None = None) -> int:
        at_ns = time.monotonic_ns() if at_ns is None else at_ns
        self.levels[line] = level
        if line in self.callbacks:
            self.callbacks[line](self.chip, line, level, at_ns)
        return at_ns

    def claim(self, _handle: int, line: int, flags: int = 0) -> int:
        if line in self.busy:
            raise LgpioError(BUSY)
        self.flags[line] = flags
        return 0

    def open(self, chip: int) -> int:
        if chip != self.chip:
            raise LgpioError("can not open gpiochip")
        return 0

    def callback(self, _handle: int, line: int, _edges: int, func: Callable[[int, int, int, int], None]) -> Any:
        self.callbacks[line] = func
        return types.SimpleNamespace(cancel=lambda: self.callbacks.pop(line, None))

    def module(self) -> types.ModuleType:
        """The fake module, to be put into sys.modules as lgpio."""
        lgpio = types.ModuleType("lgpio")
        members: dict[str, Any] = {
            "error": LgpioError,
            "BOTH_EDGES": BOTH,
            "RISING_EDGE": 1,
            "FALLING_EDGE": 2,
            "SET_PULL_NONE": 128,
            "SET_PULL_UP": 32,
            "SET_PULL_DOWN": 64,
            "gpiochip_open": self.open,
            "gpiochip_close": lambda _handle: 0,
            "gpio_claim_input": self.claim,
            "gpio_claim_output": self.claim,
            "gpio_claim_alert": lambda handle, line, _edges, flags: self.claim(handle, line, flags),
            "gpio_free": lambda _handle, _line: 0,
            "gpio_get_mode": lambda _handle, line: self.flags[line],
            "gpio_read": lambda _handle, line: self.levels[line],
            "gpio_set_debounce_micros": lambda _handle, _line, _us: 0,
            "callback": self.callback,
        }
        for name, member in members.items():
            setattr(lgpio, name, member)
        return lgpio
