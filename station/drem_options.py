"""`[drem]` of the station's config: how it serves as an event manager's timer (drem_timer.py).

It is a module of its own because the timer's libraries are loaded only by a station that has this table.
"""

from dataclasses import dataclass

from shared.config import setting
from shared.errors import ConfigError


@dataclass(frozen=True, slots=True)
class DremOptions:
    """`[drem]`: listeners get each crossing's time, and cannot command anything."""

    host: str = setting("127.0.0.1", what="127.0.0.1: this machine only; 0.0.0.0: the whole network")
    port: int = setting(8081, min=0, max=65535)
    gpio: int = setting(17, min=0, max=1000, what="the pin number reported to the event manager")
    greet: bool = setting(
        True, what="false for event managers that count every message of the timer as a lap (before 2025)"
    )
    site: str = setting("", what="https://name of the event manager, whose pages are proxied; empty: none")
    origins: tuple[str, ...] = setting(
        (),
        what="whose pages may listen too, as 'https://their.address'; '*': any. Those of `site` and of this port may",
    )

    def __post_init__(self) -> None:
        if self.site and not self.site.startswith(("https://", "http://")):
            raise ConfigError(f"`site` is {self.site!r}; it must begin with https:// (or be empty).")
