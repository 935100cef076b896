"""An open stream ends when its reader may not see the race, or the page, any more, whatever took that away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

import pytest
from starlette.types import Message

from leaderboard.accounts.data.erasure import Erasure
from leaderboard.accounts.keys import ApiKeys
from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import end_sessions, open_session
from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import ADMIN, Caller, Grant
from leaderboard.credentials import Credentials
from leaderboard.league.moves import RaceMoves
from leaderboard.league.races import RaceService
from leaderboard.store import entries
from leaderboard.store.entries import EntryRecord
from leaderboard.store.tables import ROLES
from shared.units import NS_PER_S
from tests.leaderboard.sample_races import TOKEN, race
from tests.leaderboard.signed_in import account

NOW = 1_800_000_000 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S


class Served:
    """The app, at a time that a test sets."""

    def __init__(self, board: LeaderboardService) -> None:
        self.board, self.now_utc_ns = board, NOW
        self.app, self.feed = create_app(board, Credentials((), TOKEN), LeaderboardConfig(), lambda: self.now_utc_ns)


class Watched:
    """A race, and an account that is entered in it and has a session; a screen has a key."""

    def __init__(self, served: Served, name: str, visibility: str) -> None:
        self.served, self.store, self.race_id = served, served.board.store, f"cup-{name}"
        served.now_utc_ns = NOW
        served.board.create_race(race(self.race_id, visibility=visibility, live=True), 1)
        account_id = account(self.store, name, Grant("official", "race", "another"))
        with self.store.write() as db:
            opened = open_session(db, account_id, "a test", NOW, SessionPeriods())
            entries.add(db, EntryRecord(self.race_id, name, name, NOW, account_id, "entered", "self"))
        self.reader = Caller(account_id, name, session_id=opened.session_id)
        self.key = ApiKeys(self.store).create(ADMIN, "Screen", ("races:read",), (self.race_id,), None, NOW)
        self.headers = {
            "nobody": {},
            "session": {"cookie": f"raceday_league={opened.token}"},
            "bearer": {"authorization": f"Bearer {self.key.key}"},
            "admin": {"authorization": f"Bearer {TOKEN}"},
        }

    def sign_out(self) -> None:
        with self.store.write() as db:
            end_sessions(db, self.reader.account_id)

    def expire(self) -> None:
        self.served.now_utc_ns += 90 * DAY_NS

    def delete_account(self) -> None:
        Erasure(self.store).delete(self.reader, self.reader.alias, NOW)

    def revoke_key(self) -> None:
        ApiKeys(self.store).revoke(ADMIN, self.key.record.key_id, NOW)

    def hide(self) -> None:
        RaceService(self.store, self.changed).change(ADMIN, self.race_id, {"visibility": "private"}, NOW)

    def bin(self) -> None:
        RaceMoves(self.store, self.changed).move(ADMIN, self.race_id, "delete", NOW)

    def changed(self, _race_id: str = "") -> None:
        self.served.board.changed(self.race_id)

    @contextlib.asynccontextmanager
    async def stream(self, who: str, part: str = "live") -> AsyncIterator["OpenStream"]:
        """A stream of the race, once its first content is there."""
        opened, path = OpenStream(), f"/races/{self.race_id}/{part}"
        sent = {"host": "board.test"} | self.headers[who]
        named = [(name.encode(), value.encode()) for name, value in sent.items()]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"headers": named, "scheme": "http", "client": ("192.0.2.1", 1), "server": ("board.test", 80)}
        scope |= {"root_path": "", "http_version": "1.1"}
        opened.task = asyncio.create_task(self.served.app(scope, opened.receive, opened.send))
        try:
            await opened.next(b"id:")
            yield opened
        finally:
            opened.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await opened.task


class OpenStream:
    """A reader that stays."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        elif message["body"]:
            self._chunks.put_nowait(message["body"])

    async def next(self, start: bytes) -> None:
        """Wait for an event that starts so."""
        while not (await self.chunk()).startswith(start):
            pass

    async def chunk(self) -> bytes:
        """The next part of the answer."""
        return await self._chunks.get()

    async def ended(self) -> None:
        await asyncio.shield(self.task)

    def unread(self) -> list[bytes]:
        return [self._chunks.get_nowait() for _ in range(self._chunks.qsize())]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    board = open_board(tmp_path_factory.mktemp("streams") / "board.db")
    yield Served(board)
    board.close()


def play(served: Served, story: Callable[[], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        served.feed.attach()
        async with asyncio.timeout(20):
            await story()

    asyncio.run(run())


ENDS: dict[str, tuple[str, str, Callable[[Watched], None]]] = {
    "signed-out": ("private", "session", Watched.sign_out),
    "expired": ("private", "session", Watched.expire),
    "account-gone": ("private", "session", Watched.delete_account),
    "key-revoked": ("private", "bearer", Watched.revoke_key),
    "in-the-bin": ("private", "session", Watched.bin),
    "made-private": ("public", "nobody", Watched.hide),
    "public-in-the-bin": ("public", "nobody", Watched.bin),
}


@pytest.mark.parametrize("what", ENDS)
def test_a_stream_ends_with_the_sight_of_its_race(served: Served, what: str) -> None:
    visibility, who, take_away = ENDS[what]
    made = Watched(served, what, visibility)

    async def story() -> None:
        async with made.stream(who) as reader, made.stream("admin") as stays:
            await asyncio.to_thread(take_away, made)
            made.changed()
            await reader.ended()
            stays.unread()
            await stays.next(b"event: ")
            assert not stays.task.done()

    play(served, story)


def test_race_control_ends_with_its_session_and_the_standings_of_a_public_race_go_on(served: Served) -> None:
    made = Watched(served, "control", "public")
    grant = {"account_id": made.reader.account_id, "role": "official", "scope": "race", "scope_id": made.race_id}
    with made.store.write() as db:
        db.execute(ROLES.insert(), grant | {"granted_by": "admin", "granted_utc_ns": NOW})

    async def story() -> None:
        async with made.stream("session", "live-stream/control") as control, made.stream("session") as standings:
            made.sign_out()
            await control.ended()
            standings.unread()
            await standings.next(b"event: heartbeat")

    play(served, story)


def test_an_open_stream_is_no_use_of_its_session(served: Served) -> None:
    made = Watched(served, "idle", "private")

    async def story() -> None:
        async with made.stream("session") as reader:
            served.now_utc_ns += 13 * DAY_NS
            reader.unread()
            await reader.next(b"event: ")
            served.now_utc_ns += DAY_NS
            await reader.ended()

    play(served, story)
