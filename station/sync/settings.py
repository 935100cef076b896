"""The table `[sync]` of station.toml: where qualified results go."""

import pathlib
import stat
from dataclasses import dataclass, field
from typing import Any

from shared.config import setting
from shared.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """Every key of `[sync]`; an empty `leaderboard_url` means that results are stored and not posted."""

    leaderboard_url: str = setting("", what="https://leaderboard.example, or empty: store results, post none")
    secret_file: str = setting("", what="a file that only this user can read, with the secret whsec_...", file=True)
    unqualified_runs: bool = setting(
        True, what="post runs without a score too, where the leaderboard shows them to their racers"
    )
    driver: str = setting("webhooks", what="a driver of raceday.leaderboards")
    options: dict[str, Any] = field(default_factory=dict)
    live_feed: bool = setting(
        False, what="true: also tell the leaderboard, for its live pages, what happens on the track now"
    )


def read_secret(settings: SyncSettings) -> str:
    """The secret that station and leaderboard share, from its file. Raises ConfigError."""
    if not settings.secret_file:
        raise ConfigError(
            "[sync] `secret_file` is missing: name the file that holds the leaderboard's secret (whsec_...)."
        )
    path = pathlib.Path(settings.secret_file)
    try:
        mode = path.stat().st_mode
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"[sync] `secret_file` {path} cannot be read ({error}).") from None
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConfigError(f"[sync] `secret_file` {path} is open to others; run: chmod 600 {path}")
    return secret.rpartition(" ")[2]  # the leaderboard's own file names the station before it
