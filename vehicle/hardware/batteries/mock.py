"""A mock battery: a charge from the config or a file, and a gauge that can be set to fail as a real one does."""

import pathlib
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing


@dataclass(frozen=True, slots=True)
class MockBatteryOptions:
    """`[battery.options]` of the mock."""

    percent: int = setting(80, min=0, max=100, what="the charge, in steps of ten as the stock car's gauge")
    file: pathlib.Path | None = setting(None, what="a file with the charge, or with `fail`")


class MockBattery:
    """Rounds down to tens, as the stock car's gauge does."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        del clock
        self._options = from_table(options, MockBatteryOptions, "[battery.options]")

    def percent(self) -> int | None:
        charge = self._options.percent
        if self._options.file is not None and self._options.file.exists():
            text = self._options.file.read_text(encoding="ascii").strip()
            if text == "fail":
                raise HardwareMissing("the mock battery does not answer: it was set to fail.")
            charge = int(text)
        return charge // 10 * 10

    def close(self) -> None:
        """Nothing is open."""
