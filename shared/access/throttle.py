"""How long someone must wait after wrong PINs and codes. Pure: the time is an argument.

Failures are counted by key: a person on one paired device, an unpaired address, a name from unpaired devices. So a
stranger's tries never keep an official off his own paired tablet, and nobody is ever locked out for good.
"""

from dataclasses import dataclass

FREE_TRIES = 5
MAX_WAIT_S = 60.0
RESET_S = 3600.0  # an hour without a failure, and all is forgotten


@dataclass(frozen=True, slots=True)
class Failures:
    """The wrong tries under one key: how many, and when the last was, in seconds."""

    count: int = 0
    last_s: float = 0.0

    def after_failure(self, now_s: float) -> "Failures":
        """These, and one more."""
        return Failures(1 if self.is_over(now_s) else self.count + 1, now_s)

    def is_over(self, now_s: float) -> bool:
        """Is the last failure so long ago (or, by a clock that was set back, in the future) that it counts no more?"""
        return not 0 <= now_s - self.last_s < RESET_S

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next try is allowed: 0 for the first tries, then doubling from 2 up to a minute."""
        if self.count < FREE_TRIES or self.is_over(now_s):
            return 0.0
        pause_s = min(MAX_WAIT_S, 2.0 ** min(self.count - FREE_TRIES + 1, 10))
        return max(0.0, self.last_s + pause_s - now_s)
