"""What a link is: both ends of the wire hold one; `mqtt` and `mock` keep the same promise.

A link never blocks its owner: it queues what is published while the broker is away (bounded; state
replaces older state) and reports what it dropped. It hands in each delivery once per arrival, and the
owner acknowledges a QoS 1 delivery only after keeping it, so that an unkept one comes again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.protocol.messages import Body, Message
from shared.protocol.topics import Topic


@dataclass(frozen=True, slots=True)
class Delivery:
    """One arrival. `retained`: a state that the broker kept. `ack` is harmless to call twice and never raises."""

    topic: str
    message: Message
    retained: bool
    ack: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One row of the topic table, for one machine or (device None) for all."""

    topic: Topic
    device: str | None = None

    @property
    def filter(self) -> str:
        return self.topic.everyone if self.device is None else self.topic.of(self.device)


@dataclass(frozen=True, slots=True)
class LinkState:
    """For the screens: is the wire up, and what was lost on it."""

    connected: bool
    sentence: str
    queued: int = 0
    dropped: int = 0
    refused: int = 0
    malformed: int = 0


class Link(Protocol):
    """A connection to the broker that mends itself."""

    def start(self, subscriptions: Sequence[Subscription], on_delivery: Callable[[Delivery], None]) -> None:
        """Begin to connect, in the background. `on_delivery` is called on the link's thread and must only enqueue."""

    def publish(self, body: Body, device: str | None = None) -> bool:
        """Queue a message for its topic (QoS and retain from the table); False if it was dropped.

        `device` names the addressed machine for `raceday/to/...` topics; otherwise the speaker itself is meant.
        The link adds the envelope: own device, boot and the next sequence number.
        """

    def publish_as(self, message: Message, device: str | None = None) -> bool:
        """As `publish`, with an envelope of the owner's: a repeat from an outbox keeps its number."""

    def state(self) -> LinkState: ...

    def close(self) -> None:
        """Say goodbye (the will message is sent as on a loss) and stop; idempotent."""
