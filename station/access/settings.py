"""`[access]`: how long the sessions of officials last."""

from dataclasses import dataclass

from shared.config import setting
from station.access.access_rules import SessionLimits
from station.access.roles import Role


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """`[access]`: a session ends after this time without use, and at the latest after `absolute_h`."""

    racer_idle_min: int = setting(240, min=1, max=10_080, what="minutes without use that end a racer's session")
    referee_idle_min: int = setting(240, min=1, max=10_080, what="the same for a referee")
    operator_idle_min: int = setting(240, min=1, max=10_080, what="the same for an operator")
    admin_idle_min: int = setting(120, min=1, max=10_080, what="the same for an admin")
    absolute_h: int = setting(16, min=1, max=168, what="hours after which every session ends: a long day")

    @property
    def limits(self) -> SessionLimits:
        """The same in seconds, by role."""
        minutes = (self.racer_idle_min, self.racer_idle_min, self.referee_idle_min, self.operator_idle_min)
        each = dict(zip(Role, (*minutes, self.admin_idle_min), strict=True))
        return SessionLimits({role: 60.0 * idle_min for role, idle_min in each.items()}, 3600.0 * self.absolute_h)
