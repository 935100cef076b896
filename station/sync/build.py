"""Puts the sync service together from the table `[sync]`, and is the only module of sync that looks up a driver."""

import functools
import os
import pathlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Clock
from shared.drivers import find
from shared.errors import ConfigError, StorageError
from shared.units import NS_PER_S
from station.store.event_files.race_offers import OffersReader
from station.sync.attempts import AttemptStore
from station.sync.operator.pause import pause_of
from station.sync.operator.send_requests import SendRequestQueue
from station.sync.operator.status import DATABASE, hold_sync_lock
from station.sync.outbox_reader import OutboxReader
from station.sync.settings import SyncSettings, read_secret
from station.sync.syncer import Leaderboard, Syncer
from station.sync.webhook import WebhookLeaderboard

STATION_DATABASE = "station.db"


@dataclass(frozen=True, slots=True)
class SyncService:
    """The parts that one process owns; `close` releases the lock last."""

    syncer: Syncer
    source: OutboxReader
    attempts: AttemptStore
    leaderboard: Leaderboard
    lock: int

    def close(self) -> None:
        self.leaderboard.close()
        self.source.close()
        self.attempts.close()
        os.close(self.lock)


def build(
    settings: SyncSettings,
    data_dir: pathlib.Path,
    clock: Clock,
    log: Callable[[str], None],
    *,
    retry_rejected: bool = False,
) -> SyncService:
    """Builds the sync service for the station's data folder; `log` gets each sentence for the operator's log.

    Raises OperatorError for wrong settings, secret or folder, or if another sync process runs.
    """
    source = OutboxReader(data_dir / STATION_DATABASE)
    leaderboard = leaderboard_of(settings, functools.partial(utc_s, clock, source))
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{data_dir}: cannot be created ({error.strerror}); set `data_dir` to a folder that this user may write to."
        ) from None
    lock = hold_sync_lock(data_dir)
    attempts, requests = AttemptStore(data_dir / DATABASE), SendRequestQueue(data_dir)
    # The waits of stations must differ, so the seed comes from the system.
    syncer = Syncer(
        source,
        attempts,
        leaderboard,
        random.Random(),
        clock.utc_ns,
        log,
        retry_rejected=retry_rejected,
        requests=requests.pending,
        acknowledge=requests.acknowledge,
        offers=OffersReader(data_dir).offers,
        unqualified_runs=settings.unqualified_runs,
        paused=lambda: pause_of(data_dir) is not None,
    )
    return SyncService(syncer, source, attempts, leaderboard, lock)


def utc_s(clock: Clock, source: OutboxReader) -> float:
    """Seconds since 1970, to stamp a post; if the machine's clock is not set, by the time that an official set."""
    offset_ns = None if clock.trusted else source.offset_ns(clock.boot_id)
    return (clock.utc_ns() if offset_ns is None else clock.now_ns() + offset_ns) / NS_PER_S


def leaderboard_of(settings: SyncSettings, utc_s: Callable[[], float] = time.time) -> Leaderboard:
    """The leaderboard driver that `[sync]` names; `utc_s` stamps its posts. Raises OperatorError."""
    if not settings.leaderboard_url:
        raise ConfigError("[sync] `leaderboard_url` is empty: name the leaderboard, or do not start the sync service.")
    driver = find("raceday.leaderboards", settings.driver)
    more = (utc_s,) if driver is WebhookLeaderboard else ()  # a third-party driver has its own clock
    needs_secret = getattr(driver, "needs_secret", True) or bool(settings.secret_file)
    secret = read_secret(settings) if needs_secret else ""
    leaderboard: Leaderboard = driver(settings.leaderboard_url, secret, settings.options, *more)
    return leaderboard
