"""Challenges of passkeys: for one try, five minutes, one purpose and one host; whatever comes back is checked."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard.accounts.limits import CHALLENGE_NS
from leaderboard.store.tables import ACCOUNTS, CHALLENGES
from shared.access.pass_code_hashing import Argon2idHasher
from tests.leaderboard.in_process import FormBrowser, fields
from tests.leaderboard.league_app import LeagueApp, league_app

_PATH = "/api/v1/passkeys"


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    with league_app(tmp_path_factory.mktemp("passkeys"), Argon2idHasher(memory_kib=8, passes=1)) as made:
        yield made


def ask(browser: FormBrowser, **question: str) -> Any:
    answer = browser.call("POST", f"{_PATH}/options", question)
    assert answer.status_code == 200, answer.text
    return fields(answer)


def verify(browser: FormBrowser, asked: Any, credential: object, purpose: str = "sign_up") -> tuple[int, str]:
    document = {"purpose": purpose, "challenge_id": asked["challenge_id"], "credential": credential}
    answer = browser.call("POST", f"{_PATH}/verify", document)
    return answer.status_code, answer.text


def test_a_challenge_is_for_one_try_and_one_purpose(league: LeagueApp) -> None:
    visitor = FormBrowser(league.app)
    asked = ask(visitor, purpose="sign_up", alias="ada", name="Ada")
    assert asked["options"]["rp"]["id"] == "board.test"
    assert asked["options"]["user"]["name"] == "ada"
    status, sentence = verify(visitor, asked, {}, "sign_in")
    assert (status, "challenge is over" in sentence) == (422, True)
    status, sentence = verify(visitor, asked, {})
    assert (status, "answer is not valid" in sentence) == (422, True)
    status, sentence = verify(visitor, asked, {})
    assert (status, "challenge is over" in sentence) == (422, True)
    with league.store.read() as db:
        assert db.execute(sa.select(ACCOUNTS.c.alias).where(ACCOUNTS.c.alias == "ada")).first() is None


def test_a_challenge_is_over_after_five_minutes_and_leaves_nothing(league: LeagueApp) -> None:
    visitor = FormBrowser(league.app)
    asked = ask(visitor, purpose="sign_in")
    league.now_utc_ns += CHALLENGE_NS
    assert "challenge is over" in verify(visitor, asked, {}, "sign_in")[1]
    ask(visitor, purpose="sign_in")
    with league.store.read() as db:
        assert len(db.execute(sa.select(CHALLENGES)).all()) == 1


def test_an_unknown_passkey_and_another_host_are_refused(league: LeagueApp) -> None:
    visitor = FormBrowser(league.app)
    assert verify(visitor, ask(visitor, purpose="sign_in"), {"id": "unknown"}, "sign_in")[0] == 401
    asked = ask(visitor, purpose="sign_in")
    document = {"purpose": "sign_in", "challenge_id": asked["challenge_id"], "credential": {"id": "x"}}
    other = visitor.call("POST", f"{_PATH}/verify", document, host="other.test", origin="http://other.test")
    assert (other.status_code, "challenge is over" in other.text) == (422, True)
    bare = visitor.call("POST", f"{_PATH}/options", {"purpose": "sign_in"}, host="192.0.2.5", origin="http://192.0.2.5")
    assert (bare.status_code, "use a passphrase here" in bare.text) == (422, True)


def test_adding_a_passkey_is_for_the_account_that_asked(league: LeagueApp) -> None:
    assert FormBrowser(league.app).call("POST", f"{_PATH}/options", {"purpose": "add"}).status_code == 401
    grace, _ = league.sign_up("grace")
    tom, _ = league.sign_up("tom-1")
    asked = ask(grace, purpose="add")
    assert verify(tom, asked, {}, "add")[0] == 403
    taken = grace.call("POST", f"{_PATH}/options", {"purpose": "sign_up", "alias": "tom-1"})
    assert taken.status_code == 409


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(["id", "rawId", "type", "response", "clientExtensionResults"])
_RESPONSE = st.dictionaries(st.sampled_from(["clientDataJSON", "attestationObject", "signature"]), st.text(max_size=20))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(_FIELDS, _JSON | _RESPONSE, max_size=5))
def test_no_answer_of_a_browser_is_an_error_of_ours(league: LeagueApp, credential: dict[str, Any]) -> None:
    league.now_utc_ns += 60_000_000_000
    visitor = FormBrowser(league.app)
    for purpose in ("sign_up", "sign_in"):
        asked = ask(visitor, purpose=purpose, alias="somebody-new")
        assert verify(visitor, asked, credential, purpose)[0] in (401, 422)
