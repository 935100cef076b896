"""Is the wire alive? What a link knows of its connection, honestly. Pure: time is an argument (seconds, monotonic).

A socket to a frozen broker stays open, so "connected" means: greeted, and heard from within one and a half
keep-alives (a quiet wire carries a ping in each). After twice that the connection is given up.
"""

from dataclasses import dataclass

CONNECT_S = 2.0
STABLE_S = 5.0
SHORT_LIVES = 3


@dataclass(slots=True)
class Liveness:
    """`answered`: the broker spoke MQTT with us at all, be it to refuse."""

    keepalive_s: float
    sentence: str = "Not started."
    up: bool = False
    answered: bool = False
    heard_at_s: float = 0.0
    up_since_s: float | None = None
    short_lives: int = 0

    def dialled(self, at_s: float) -> None:
        self.up, self.answered, self.up_since_s, self.heard_at_s = False, False, None, at_s

    def greeted(self, at_s: float, sentence: str) -> None:
        self.up, self.answered, self.up_since_s, self.heard_at_s = True, True, at_s, at_s
        self.sentence = sentence

    def ended(self, at_s: float) -> bool:
        """The connection is over; True if it had been a good one."""
        stable = self._stable(at_s)
        if stable:
            self.short_lives = 0
        elif self.up_since_s is not None:
            self.short_lives += 1
        self.up, self.up_since_s = False, None
        return stable

    def connected(self, at_s: float) -> bool:
        return self.up and at_s - self.heard_at_s <= 1.5 * self.keepalive_s

    def given_up(self, at_s: float) -> bool:
        return at_s - self.heard_at_s > (3.0 * self.keepalive_s if self.up else CONNECT_S)

    def told(self, at_s: float, name: str) -> str:
        """One sentence for the screens."""
        if self.up and not self.connected(at_s):
            return f"The broker has been silent for {at_s - self.heard_at_s:.0f} s."
        if self.short_lives >= SHORT_LIVES and not self._stable(at_s):
            return f"{self.sentence} It is lost again and again: does another machine use the name {name!r}?"
        return self.sentence

    def _stable(self, at_s: float) -> bool:
        return self.up_since_s is not None and at_s - self.up_since_s > STABLE_S
