"""Who may publish and subscribe to what at the broker: the table behind config/acl, the mock and their tests.

`%u` is the user name at the broker, which is the machine's own name (the CN of its certificate). Every topic is named:
a rule that ended in `#` would let one car store messages without end under topics of its own invention. A display
only subscribes; it is not one of our machines, so it is in config/acl alone.
"""

from shared.link.packets import matches
from shared.protocol.topics import TOPICS, Speaker, Topic

ADDRESSED = "raceday/to/"  # topics that name the machine that a message is meant for; the others name its sender


def _rules(speaker: Speaker, device: str, *, addressed: bool) -> tuple[str, ...]:
    """The table's topics of one speaker, with `device` in the place of the machine's name."""
    return tuple(
        t.pattern.format(device=device) for t in TOPICS if t.speaker == speaker and _is_addressed(t) == addressed
    )


def _is_addressed(topic: Topic) -> bool:
    return topic.pattern.startswith(ADDRESSED)


MAY_WRITE: dict[Speaker, tuple[str, ...]] = {
    "car": _rules("car", "%u", addressed=False),
    "station": _rules("station", "+", addressed=True) + _rules("station", "%u", addressed=False),
}
MAY_READ: dict[Speaker, tuple[str, ...]] = {
    "car": _rules("station", "%u", addressed=True),
    "station": _rules("car", "+", addressed=False) + _rules("station", "+", addressed=False),
}


def may_write(speaker: Speaker, device: str, topic: str) -> bool:
    return any(matches(f.replace("%u", device), topic) for f in MAY_WRITE[speaker])


def may_read(speaker: Speaker, device: str, topic: str) -> bool:
    return any(matches(f.replace("%u", device), topic) for f in MAY_READ[speaker])
