"""What people read of a race, in one table: both pages, the station's and the leaderboard's, say it with these words.

The race's rules in sentences are here too, since both show them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened to a car in a lap, as it is named."""

    one: str
    many: str

    def counted(self, count: int) -> str:
        """'1 off track', '2 off tracks'."""
        return f"{count} {self.one if count == 1 else self.many}"


# By the names of the messages; each counts in a field of the lap: off_tracks, collisions, resets.
INCIDENTS: dict[str, Incident] = {
    "off_track": Incident("off track", "off tracks"),
    "collision": Incident("collision", "collisions"),
    "reset": Incident("reset", "resets"),
}
