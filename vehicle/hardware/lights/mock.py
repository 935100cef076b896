"""Mock lights: they note each colour, and refuse what the kernel refuses once they are set to fail."""

import pathlib
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from vehicle.core.light_patterns import DARK, LightColour


@dataclass(frozen=True, slots=True)
class MockLightsOptions:
    """`[lights.options]` of the mock."""

    record: pathlib.Path | None = setting(None, what="a file that gets one line for each change: #rrggbb")
    absent: pathlib.Path | None = setting(None, what="while this file exists the lights are not there")


class MockLights:
    """`shown` are the colours, oldest first."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        del clock
        self._options = from_table(options, MockLightsOptions, "[lights.options]")
        self.shown: list[LightColour] = []
        self._require_present()

    def show(self, colour: LightColour) -> None:
        self._require_present()
        self.shown.append(colour)
        if self._options.record is not None:
            with self._options.record.open("a", encoding="ascii") as record:
                record.write(f"{colour}\n")

    def close(self) -> None:
        if not self.shown or self.shown[-1] != DARK:
            self.shown.append(DARK)

    def _require_present(self) -> None:
        if self._options.absent is not None and self._options.absent.exists():
            raise HardwareMissing("there are no mock lights: they are set to be absent.")
