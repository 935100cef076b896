"""Who sent a request: a person with a role, on a device, in a session."""

from dataclasses import dataclass

from station.access.roles import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """A visitor has no `person`, `device` or `session` ("") and looks only.

    `role`: what the person may do here: never more than his own role or the device's. `device_role`: the most that
    anybody may do on this paired device; with it alone, without a session, only the stop of all cars is allowed.
    """

    person: str = ""
    role: Role = Role.VIEWER
    device: str = ""
    session: str = ""
    device_role: Role = Role.VIEWER

    @property
    def is_official(self) -> bool:
        """Does this person officiate here?"""
        return self.role >= Role.REFEREE

    @property
    def may_stop(self) -> bool:
        """May this request stop all cars? A paired device of officials may, also once its session has ended."""
        return max(self.role, self.device_role) >= Role.REFEREE

    @property
    def author(self) -> str:
        """Who is recorded as having done something: the person, or else the device alone."""
        return self.person or self.device


VISITOR = Identity()
