"""Opens the store of a leaderboard's config for a command, whether or not a leaderboard serves from it."""

import pathlib

from leaderboard.config import LeaderboardConfig
from leaderboard.store.database import Store, is_served, open_readers, open_store


def open_to_read(config: LeaderboardConfig) -> Store:
    """The store to read from; of a stopped leaderboard its tables are up to date. Raises OperatorError without one."""
    place = config.store.place
    missing = "://" not in place and not pathlib.Path(place).exists()
    # Opened for writing, an older version's database is brought up to date; a missing one would be made.
    return open_readers(place) if missing or is_served(place) else open_store(place)
