"""Tells every process of a leaderboard which race has changed, so that the pages that each of them holds hear of it.

One process needs nothing. Several share PostgreSQL, which passes notices on (LISTEN), or a Redis or Valkey server. What
is lost on the way, as when that server restarts, shows in the pages' next heartbeat.
"""

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import sqlalchemy as sa

from shared.errors import ConfigError, HardwareMissing

_CHANNEL = "raceday_changed"
_AGAIN_S = 2.0  # after a lost connection
_LISTEN_S = 0.5  # how long a wait lasts before it looks whether it should end
_LOG = logging.getLogger("leaderboard")


class Fanout(Protocol):
    """Passes on which races have changed."""

    def publish(self, race_id: str) -> None:
        """A change of this race was committed here; it never raises."""

    def close(self) -> None:
        """Stop listening; idempotent."""


class MemoryFanout:
    """For one process: what is published is received at once."""

    def __init__(self, received: Callable[[str], None]) -> None:
        self._received = received

    def publish(self, race_id: str) -> None:
        self._received(race_id)

    def close(self) -> None:
        pass


class _SharedFanout:
    """What is shared by those over a server: the own process hears at once, and does not hear itself again."""

    def __init__(self, received: Callable[[str], None], name: str) -> None:
        self._received, self._name = received, name
        self._own = secrets.token_hex(8)
        self._closing = threading.Event()
        self._away = False
        self._thread = threading.Thread(target=self._listen, name="fanout", daemon=True)

    def publish(self, race_id: str) -> None:
        self._received(race_id)
        try:
            self._send(f"{self._own} {race_id}")
        except Exception as error:
            self._say_away(error)

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(2 * _LISTEN_S + 1)

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                with self._messages() as messages:
                    self._away = False
                    for message in messages:
                        self._take(message)
                        if self._closing.is_set():
                            return
            except Exception as error:
                self._say_away(error)
                self._closing.wait(_AGAIN_S)

    def _take(self, message: str) -> None:
        sender, _, race_id = message.partition(" ")
        if race_id and sender != self._own:
            self._received(race_id)

    def _say_away(self, error: Exception) -> None:
        if not self._away and not self._closing.is_set():
            self._away = True
            _LOG.warning("%s is away (%s): pages of other processes update with their heartbeat", self._name, error)

    def _send(self, message: str) -> None:
        raise NotImplementedError

    def _messages(self) -> "contextlib.AbstractContextManager[Iterator[str]]":
        """Messages as they come, and "" now and then."""
        raise NotImplementedError


class RedisFanout(_SharedFanout):
    """Over a Redis or Valkey server. Raises ConfigError for an address that is none, HardwareMissing."""

    def __init__(self, url: str, received: Callable[[str], None]) -> None:
        super().__init__(received, "the fan-out server")
        try:
            import valkey  # noqa: PLC0415 (of an extra)
        except ImportError:
            raise HardwareMissing("`fanout.url` needs the Python package valkey: install raceday[cluster].") from None
        try:
            client = valkey.Valkey.from_url(
                url.replace("valkey://", "redis://", 1),
                decode_responses=True,
                socket_connect_timeout=2,
                socket_timeout=5,
            )
        except ValueError:
            raise ConfigError("`fanout.url` is not an address like redis://127.0.0.1:6379/0.") from None
        self._client: Any = client
        self._thread.start()

    def _send(self, message: str) -> None:
        self._client.publish(_CHANNEL, message)

    @contextlib.contextmanager
    def _messages(self) -> Iterator[Iterator[str]]:
        listening = self._client.pubsub(ignore_subscribe_messages=True)
        try:
            listening.subscribe(_CHANNEL)
            yield self._received_from(listening)
        finally:
            listening.close()

    def _received_from(self, listening: Any) -> Iterator[str]:
        while True:
            message = listening.get_message(timeout=_LISTEN_S)
            yield str(message["data"]) if message else ""

    def close(self) -> None:
        super().close()
        self._client.close()


class PostgresFanout(_SharedFanout):
    """Over the store's own PostgreSQL: NOTIFY and LISTEN."""

    def __init__(self, engine: sa.Engine, received: Callable[[str], None]) -> None:
        super().__init__(received, "PostgreSQL")
        self._engine = engine
        self._thread.start()

    def _send(self, message: str) -> None:
        with self._engine.begin() as db:
            db.execute(sa.select(sa.func.pg_notify(_CHANNEL, message)))

    @contextlib.contextmanager
    def _messages(self) -> Iterator[Iterator[str]]:
        # A connection of its own, outside of the pool: it waits for as long as the process lives.
        connection: Any = self._engine.raw_connection()
        driver = connection.driver_connection
        connection.detach()
        try:
            driver.autocommit = True
            driver.execute(f"LISTEN {_CHANNEL}")
            yield self._received_from(driver)
        finally:
            driver.close()

    def _received_from(self, driver: Any) -> Iterator[str]:
        while True:
            for notice in driver.notifies(timeout=_LISTEN_S, stop_after=1):
                yield notice.payload
            yield ""
