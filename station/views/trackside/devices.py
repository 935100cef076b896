"""The stop button and the start lights at the station, as the pages show them. Made by service/trackside/."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StopButtonView:
    """The stop button. `open_sentence`: why it stops all cars now; "" while its contact is closed.

    `absent`: the device is missing, which stops all cars too, though nobody pressed.
    """

    open_sentence: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class StartLightsView:
    """The start lights: how many are lit, and what is wrong with them ("" if nothing)."""

    lit: int = 0
    fault: str = ""
