"""The roles of people at an event, each of which may do what those before it may."""

from enum import IntEnum


class Role(IntEnum):
    """What a person may do; `Role.OPERATOR >= Role.REFEREE` holds."""

    VIEWER = 0  # looks at the public pages
    RACER = 1  # sees his own runs and queue
    REFEREE = 2  # rules: incidents, laps, penalties, runs, official
    OPERATOR = 3  # runs the event: racers, queue, start, stop, races
    ADMIN = 4  # people, devices, backup, settings
