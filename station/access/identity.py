"""Who sent a request: a person with a role, on a device, in a session."""

from dataclasses import dataclass

from station.access.roles import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """A visitor has no `person`, `device` or `session` ("") and looks only."""

    person: str = ""
    role: Role = Role.VIEWER
    device: str = ""
    session: str = ""


VISITOR = Identity()
