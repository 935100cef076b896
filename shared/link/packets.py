"""Messages to MQTT packets and back, the same for both links (MQTT and mock)."""

import functools
import itertools
from dataclasses import dataclass

from shared.errors import BadInput, Refused
from shared.protocol import codec
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY, Speaker, checked_device


@dataclass(frozen=True, slots=True)
class Packet:
    """One PUBLISH. `state`: retained, so that a newer one replaces it wherever it waits."""

    topic: str
    payload: bytes
    qos: int
    state: bool
    expiry_s: int | None = None


class MessageEncoder:
    """Numbers and encodes what one machine publishes. Only `message` is thread-safe (one atomic counter)."""

    def __init__(self, device: str, boot: str, speaker: Speaker) -> None:
        self.device = checked_device(device)
        self.boot = boot
        self.speaker = speaker
        self._numbers = itertools.count(1)

    def message(self, body: m.Body) -> m.Message:
        """The body in an envelope of ours with the next number."""
        return m.Message(m.Envelope(self.device, self.boot, next(self._numbers)), body)

    def packet(self, message: m.Message, to_device: str | None = None) -> Packet:
        """The bytes and the topic, with QoS and retain from the table. Raises Refused if it may not publish this."""
        body = message.body
        topic = BY_BODY[type(body)]
        if topic.speaker != self.speaker:
            raise Refused(f"A {self.speaker} does not publish {topic.kind}.")
        addressed = topic.pattern.startswith("raceday/to/")
        if addressed and to_device is None:
            raise Refused(f"A {topic.kind} must name the machine that it is meant for.")
        name = topic.of(to_device if addressed and to_device is not None else self.device)
        # The broker discards an order that was not fetched in time; the car checks the age again by its own heartbeat.
        expiry_s = max(1, -(-body.ttl_ms // 1000)) if isinstance(body, m.DriveOrder) else None
        return Packet(name, codec.encode(message), topic.qos, topic.retained, expiry_s)

    def will(self) -> Packet:
        """The will: the retained state by which the broker reports us as not connected."""
        body: m.Body
        if self.speaker == "car":
            body = m.CarState(online=False, mode="disarmed", reason="The car is not connected.")
        else:
            body = m.StationStatus(online=False, sentence="The station is not connected.")
        return self.packet(self.message(body))


def decode_packet(topic: str, payload: bytes, retained: bool) -> m.Message:
    """A packet that arrived, as a checked message. Raises BadInput, also for a retained one that is not a state."""
    message = codec.decode_from(topic, payload)
    if retained and not BY_BODY[type(message.body)].retained:
        raise BadInput(f"A stored {BY_BODY[type(message.body)].kind} was found on {topic}: only states may be stored.")
    return message


@functools.lru_cache(4096)
def matches(topic_filter: str, topic: str) -> bool:
    """Does the subscription (levels, `+`, trailing `#`) match the topic?"""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(w in ("+", level) for w, level in zip(wanted, levels, strict=True))
