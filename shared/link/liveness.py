"""Is the connection to the broker alive? Pure: the time is an argument (seconds, monotonic).

A socket to a frozen broker stays open, so "connected" means: accepted by the broker, and something
received within one and a half keep-alives (a quiet connection carries a ping in each). After three keep-alives
without a byte the connection has timed out.
"""

from dataclasses import dataclass

from shared.text import joined, text

CONNECT_S = 2.0
STABLE_S = 5.0
SHORT_CONNECTIONS = 3


@dataclass(slots=True)
class Liveness:
    """State of one connection. `answered`: the broker has answered in MQTT at all, even with a refusal."""

    keepalive_s: float
    sentence: str = text("Not started.")
    up: bool = False
    answered: bool = False
    received_at_s: float = 0.0
    up_since_s: float | None = None
    short_connections: int = 0

    def on_connecting(self, at_s: float) -> None:
        self.up, self.answered, self.up_since_s, self.received_at_s = False, False, None, at_s

    def on_connected(self, at_s: float, sentence: str) -> None:
        self.up, self.answered, self.up_since_s, self.received_at_s = True, True, at_s, at_s
        self.sentence = sentence

    def on_disconnected(self, at_s: float) -> bool:
        """The connection has ended; True if it had been stable."""
        stable = self._stable(at_s)
        if stable:
            self.short_connections = 0
        elif self.up_since_s is not None:
            self.short_connections += 1
        self.up, self.up_since_s = False, None
        return stable

    def connected(self, at_s: float) -> bool:
        return self.up and at_s - self.received_at_s <= 1.5 * self.keepalive_s

    def timed_out(self, at_s: float) -> bool:
        return at_s - self.received_at_s > (3.0 * self.keepalive_s if self.up else CONNECT_S)

    def status_sentence(self, at_s: float, name: str) -> str:
        """The state of the connection in one sentence for people; `name` is this machine's."""
        if self.up and not self.connected(at_s):
            return text("The broker has been silent for {seconds} s.", seconds=f"{at_s - self.received_at_s:.0f}")
        if self.short_connections >= SHORT_CONNECTIONS and not self._stable(at_s):
            again = text("It is lost again and again: does another machine use the name {name}?", name=repr(name))
            return joined([self.sentence, again])
        return self.sentence

    def _stable(self, at_s: float) -> bool:
        return self.up_since_s is not None and at_s - self.up_since_s > STABLE_S
