"""How long sign-ins last, and how many of a thing an account may have. Called by all services of accounts."""

from dataclasses import dataclass

from shared.units import NS_PER_S

_DAY_NS = 86_400 * NS_PER_S
MAX_SESSIONS = 50  # of one account; the one that was used longest ago makes room
MAX_CREDENTIALS = 20
MAX_KEYS = 50
RECOVERY_CODES = 10
CHALLENGE_NS = 5 * 60 * NS_PER_S
PROOF_NS = 15 * 60 * NS_PER_S  # how long after a sign-in credentials may be changed and the account be deleted
TOUCH_NS = 5 * 60 * NS_PER_S  # how exactly the last use is known


@dataclass(frozen=True, slots=True)
class SessionPeriods:
    """A session ends when it was not used for `idle_ns`, and `absolute_ns` after it began."""

    idle_ns: int = 14 * _DAY_NS
    absolute_ns: int = 90 * _DAY_NS

    @classmethod
    def of_hours(cls, idle_h: float, absolute_h: float) -> "SessionPeriods":
        """The periods as the config has them."""
        return cls(round(idle_h * 3600 * NS_PER_S), round(absolute_h * 3600 * NS_PER_S))

    def alive(self, created_utc_ns: int, used_utc_ns: int, now_utc_ns: int) -> bool:
        """Whether a session of these times still holds."""
        return now_utc_ns - used_utc_ns < self.idle_ns and now_utc_ns - created_utc_ns < self.absolute_ns
