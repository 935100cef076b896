"""The bridge's settings: `config/bridge.toml` as a checked, frozen dataclass. One file and one process for each car."""

import pathlib
from dataclasses import dataclass

from shared.config import setting
from shared.errors import ConfigError, Refused
from shared.link.options import MqttOptions
from shared.protocol.topics import checked_device
from vehicle.bridge.leash.raceday_leash import PORT
from vehicle.core.light_patterns import colour_of


@dataclass(frozen=True, slots=True)
class StockConsoleOptions:
    """`[console]`: the console of the stock car."""

    host: str = setting(what="the car's name or address in the hall's network")
    password_file: pathlib.Path = setting(what="a file of mode 0600 whose first line is the console's password")
    certificate_file: pathlib.Path = setting(
        what="where the fingerprint of the console's certificate is kept from the first time on"
    )
    model: str = setting(what="the model that drives: its folder's name as the console lists it")
    port: int = setting(443, min=1, max=65535, what="of its page, https")
    throttle_percent: int = setting(0, min=0, max=100, what="until an order sets another; at 0 the car stands still")

    def __post_init__(self) -> None:
        if not self.host or not self.model:
            raise ConfigError("`console.host` and `console.model` must not be empty.")


@dataclass(frozen=True, slots=True)
class LeashOptions:
    """`[leash]`: the program on the car that cuts its motor when this bridge is silent; none without a key."""

    key_file: str = setting("", what="the key that `raceday bridge leash` made; empty: no leash is fitted", file=True)
    host: str = setting("", what="the car's address for the leash; empty: `console.host`")
    port: int = setting(PORT, min=1, max=65535, what="the UDP port that the leash listens at")


@dataclass(frozen=True, slots=True)
class BridgeConfig:
    """All settings of one bridge."""

    console: StockConsoleOptions
    leash: LeashOptions
    mqtt: MqttOptions
    device: str = setting(what="the car's name at the broker, such as car-1")
    colour: str = setting(
        "", what="of the car, such as #46c8f5, by which it is recognised; its tail light, by the leash"
    )

    def __post_init__(self) -> None:
        try:
            checked_device(self.device)
        except Refused as error:
            raise ConfigError(f"`device`: {error}") from None
        if self.colour and colour_of(self.colour) is None:
            raise ConfigError(f"`colour` is {self.colour!r}; it must be like #46c8f5.")
