"""May the service's user open a path? By owner, groups and modes, as the kernel decides it; root may open all.

Pure over the reader. Access control lists and what a unit's sandbox hides are not seen here: the drop-ins are checked
beside (services.py).
"""

import pathlib
from dataclasses import dataclass

from raceday.doctor.machine_reader import FileStatus, MachineReader

READ, WRITE, ENTER = 4, 2, 1


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """Who a service runs as: its user's number and all groups, those of its unit too."""

    name: str
    uid: int
    gids: frozenset[int]


def service_user(reader: MachineReader, name: str, unit_groups: tuple[str, ...] = ()) -> ServiceUser | None:
    """The user with the groups of its account and of the unit; None if there is no such user."""
    account = reader.user(name)
    if account is None:
        return None
    more = (reader.group_number(group) for group in unit_groups)
    return ServiceUser(name, account.uid, account.gids | {number for number in more if number is not None})


def may(status: FileStatus, user: ServiceUser, wanted: int) -> bool:
    """Do the mode bits give this user what is wanted (READ, WRITE, ENTER, or a sum)?"""
    if user.uid == 0:
        return True
    shift = 6 if user.uid == status.uid else 3 if status.gid in user.gids else 0
    return (status.mode >> shift) & wanted == wanted


def blocked_by(reader: MachineReader, path: str, user: ServiceUser, wanted: int) -> str:
    """What keeps the user out: the file or a folder on the way; "" if nothing does, or it is not there."""
    real = pathlib.PurePosixPath(reader.target(path))
    for folder in reversed(real.parents):
        status = reader.status(str(folder))
        if status is not None and not may(status, user, ENTER):
            return str(folder)
    status = reader.status(str(real))
    return str(real) if status is not None and not may(status, user, wanted) else ""
