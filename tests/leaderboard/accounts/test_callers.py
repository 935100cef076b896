"""Who asks: sessions end when idle, when old and when revoked; roles come with the account; keys are checked."""

import json
import pathlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from leaderboard.accounts.callers import CallerLookup
from leaderboard.accounts.limits import MAX_SESSIONS, TOUCH_NS, SessionPeriods
from leaderboard.accounts.sessions import end_sessions, open_session, sessions_of
from leaderboard.core.access import ADMIN, Grant
from leaderboard.store.database import Store, open_store
from leaderboard.store.tables import API_KEYS, SESSIONS
from shared.access.tokens import token_hash
from shared.units import NS_PER_S
from tests.leaderboard.signed_in import account

PERIODS = SessionPeriods(idle_ns=TOUCH_NS * 3, absolute_ns=TOUCH_NS * 10)
TOKEN = "an-admin-token-of-the-tests-0123"


@pytest.fixture
def store(tmp_path: pathlib.Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "board.db")
    yield opened
    opened.close()


def test_a_session_is_its_account_until_it_is_idle_old_or_revoked(store: Store) -> None:
    grant = Grant("organiser", "race", "cup")
    ada, lookup = account(store, "ada", grant), CallerLookup(store, TOKEN, PERIODS)
    with store.write() as db:
        first, second = (open_session(db, ada, "Firefox\n", 0, PERIODS) for _ in range(2))
    caller = lookup.by_session(first.token, 1)
    assert caller is not None
    assert (caller.account_id, caller.alias, caller.grants) == (ada, "ada", frozenset({grant}))
    for at in range(0, 10 * TOUCH_NS, TOUCH_NS):  # used again and again, it holds until it is old
        assert lookup.by_session(first.token, at) is not None
    assert lookup.by_session(first.token, 10 * TOUCH_NS) is None
    assert lookup.by_session(second.token, 3 * TOUCH_NS) is None  # was idle
    with store.write() as db:
        assert [each.browser for each in sessions_of(db, ada, 1, PERIODS)] == ["Firefox", "Firefox"]
        assert end_sessions(db, ada, first.session_id) == 1
    assert lookup.by_session(first.token, 1) is None
    assert lookup.by_session(second.token, 1) is not None


def test_only_the_hash_of_a_session_is_stored(store: Store) -> None:
    ada = account(store, "ada")
    with store.write() as db:
        opened = open_session(db, ada, "", 0, PERIODS)
        row = db.execute(sa.select(SESSIONS)).one()
    assert opened.token not in map(str, row)
    assert row.token_sha256 == token_hash(opened.token)


def test_an_account_has_so_many_sessions_and_no_more(store: Store) -> None:
    ada = account(store, "ada")
    with store.write() as db:
        opened = [open_session(db, ada, "", at, PERIODS) for at in range(MAX_SESSIONS + 2)]
        kept = {each.session_id for each in sessions_of(db, ada, MAX_SESSIONS + 2, PERIODS)}
        assert kept == {each.session_id for each in opened[2:]}
        assert end_sessions(db, ada, None, but=opened[-1].session_id) == MAX_SESSIONS - 1


def test_the_admins_token_is_an_admins_key_and_nothing_else_is(store: Store) -> None:
    lookup = CallerLookup(store, TOKEN)
    assert lookup.by_bearer(TOKEN, 1) == ADMIN
    assert lookup.by_bearer(TOKEN[:-1], 1) is None
    assert CallerLookup(store, "").by_bearer("", 1) is None


def test_a_key_holds_until_it_expires_or_is_revoked(store: Store) -> None:
    key, lookup = "rk_" + "k" * 43, CallerLookup(store, TOKEN)
    values = {
        "key_id": "one",
        "key_sha256": token_hash(key),
        "account_id": "",
        "name": "Hall",
        "scopes": json.dumps(["results:write"]),
        "races": json.dumps(["cup"]),
        "created_utc_ns": 0,
        "expires_utc_ns": 100 * NS_PER_S,
    }
    with store.write() as db:
        db.execute(sa.insert(API_KEYS), values)
    caller = lookup.by_bearer(key, 5)
    assert caller is not None
    assert (caller.key_id, caller.key_scopes, caller.key_races) == ("one", {"results:write"}, {"cup"})
    assert not caller.signed_in
    with store.read() as db:
        assert db.execute(sa.select(API_KEYS.c.used_utc_ns)).scalar() == 5
    assert lookup.by_bearer(key, 100 * NS_PER_S) is None
    assert lookup.by_bearer(key + "x", 5) is None
    with store.write() as db:
        db.execute(sa.update(API_KEYS).values(revoked_utc_ns=6))
    assert lookup.by_bearer(key, 7) is None
