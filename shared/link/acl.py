"""Who may publish and subscribe to what at the broker: the table behind config/acl, the mock and their tests.

`%u` is the user name at the broker, which is the machine's own name (the CN of its certificate). A display
only subscribes; it is not one of our machines, so it is in config/acl alone.
"""

from shared.link.packets import matches
from shared.protocol.topics import Speaker

MAY_WRITE: dict[Speaker, tuple[str, ...]] = {
    "car": ("raceday/cars/%u/#",),
    "station": ("raceday/to/#", "raceday/stations/%u/#"),
}
MAY_READ: dict[Speaker, tuple[str, ...]] = {
    "car": ("raceday/to/%u/#",),
    "station": ("raceday/cars/#", "raceday/stations/#"),
}


def may_write(speaker: Speaker, device: str, topic: str) -> bool:
    return any(matches(f.replace("%u", device), topic) for f in MAY_WRITE[speaker])


def may_read(speaker: Speaker, device: str, topic: str) -> bool:
    return any(matches(f.replace("%u", device), topic) for f in MAY_READ[speaker])
