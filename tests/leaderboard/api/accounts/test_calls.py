"""Accounts over the API, as browsers and programs use them: ways in, sessions, keys, roles, the audit."""

import logging
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from leaderboard.accounts.entrance.entrance import SIGN_INS
from leaderboard.accounts.limits import PROOF_NS
from leaderboard.core.access import Grant
from leaderboard.store.tables import ACCOUNTS, ALIASES, API_KEYS, AUDIT, CREDENTIALS, RECOVERY_CODES, ROLES, SESSIONS
from shared.access.pass_code_hashing import Argon2idHasher
from shared.units import NS_PER_S
from tests.leaderboard import sample_races
from tests.leaderboard.in_process import FormBrowser, call, fields
from tests.leaderboard.league_app import PASSPHRASE, LeagueApp, league_app
from tests.leaderboard.signed_in import account, browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    with league_app(tmp_path_factory.mktemp("calls"), Argon2idHasher(memory_kib=8, passes=1)) as made:
        yield made


@pytest.fixture
def league(served: LeagueApp) -> LeagueApp:
    """The app of this file, without the accounts of the tests before, an hour later."""
    with served.store.write() as db:
        for table in (SESSIONS, RECOVERY_CODES, CREDENTIALS, ROLES, API_KEYS, AUDIT, ALIASES, ACCOUNTS):
            db.execute(sa.delete(table))
    served.now_utc_ns += 3600 * NS_PER_S
    return served


def test_an_account_from_signing_up_to_signing_out(league: LeagueApp) -> None:
    ada, told = league.sign_up("Ada_1", name="Ada Lovelace")
    assert (told["account"]["alias"], told["account"]["name"]) == ("Ada_1", "Ada Lovelace")
    assert len(set(told["recovery_codes"])) == 10
    assert ada.cookies.keys() == {"raceday_league"}
    me = fields(ada.get("/api/v1/me"))
    assert [each["kind"] for each in me["credentials"]] == ["passphrase"]
    assert [each["current"] for each in me["sessions"]] == [True]
    assert ada.call("PATCH", "/api/v1/me", {"name": "Countess"}).status_code == 200
    assert ada.call("DELETE", "/api/v1/sessions/current").status_code == 204
    assert ada.get("/api/v1/me").status_code == 401
    again = FormBrowser(league.app)
    entered = again.call("POST", "/api/v1/sessions", {"alias": "ADA_1", "passphrase": PASSPHRASE})
    assert entered.status_code == 201
    assert fields(again.get("/api/v1/me"))["account"]["name"] == "Countess"


def test_signing_in_again_ends_the_session_that_the_browser_had(league: LeagueApp) -> None:
    ada, _ = league.sign_up()
    before = ada.cookies["raceday_league"]
    assert ada.call("POST", "/api/v1/sessions", {"alias": "ada", "passphrase": PASSPHRASE}).status_code == 201
    assert ada.cookies["raceday_league"] != before
    assert [each["current"] for each in fields(ada.get("/api/v1/me"))["sessions"]] == [True]
    thief = FormBrowser(league.app)
    thief.cookies["raceday_league"] = before
    assert thief.get("/api/v1/me").status_code == 401


def test_who_signs_in_is_logged_with_the_way_and_no_secret(league: LeagueApp, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, SIGN_INS):
        _, told = league.sign_up()
        for way in ({"passphrase": PASSPHRASE}, {"recovery_code": told["recovery_codes"][0]}, {"passphrase": "no"}):
            call(league.app, "POST", "/api/v1/sessions", {"alias": "ada"} | way)
    lines = [record.getMessage() for record in caplog.records if record.name == SIGN_INS]
    assert lines == [
        f"ada signed {how}." for how in ("up by a passphrase", "in by a passphrase", "in by a recovery code")
    ]


def test_no_secret_is_stored_or_audited(league: LeagueApp) -> None:
    ada, told = league.sign_up()
    account(league.store, "root", Grant("admin"))
    key = fields(call(league.app, "POST", "/api/v1/keys", {"name": "Hall", "scopes": ["farm"]}, sample_races.TOKEN))
    secrets = [PASSPHRASE, ada.cookies["raceday_league"], key["key"], *told["recovery_codes"]]
    with league.store.read() as db:
        tables = (CREDENTIALS, SESSIONS, RECOVERY_CODES, API_KEYS, AUDIT)
        stored = " ".join(str(row) for table in tables for row in db.execute(sa.select(table)))
        hashed = db.execute(sa.select(CREDENTIALS.c.secret)).scalar_one()
    assert hashed.startswith("$argon2id$")
    assert [secret for secret in secrets if secret in stored] == []


def test_a_taken_alias_is_a_conflict_that_names_it(league: LeagueApp) -> None:
    league.sign_up("ada")
    for alias, sentence in [("ada", "is taken"), ("ADA", "looks like 'ada'"), ("ａｄａ", "is taken")]:
        refused = call(league.app, "POST", "/api/v1/accounts", {"alias": alias, "passphrase": PASSPHRASE})
        assert refused.status_code == 409
        assert sentence in fields(refused)["error"]


def test_what_makes_no_account(league: LeagueApp) -> None:
    wishes: list[tuple[object, int]] = [
        ({"alias": "ad", "passphrase": PASSPHRASE}, 422),
        ({"alias": "admin", "passphrase": PASSPHRASE}, 422),
        ({"alias": "ada", "passphrase": "short"}, 422),
        ({"alias": "ada", "passphrase": "x" * 201}, 422),
        ({"alias": "grace-hopper", "passphrase": "grace-hopper-1906"}, 422),
        ({"alias": "ada", "passphrase": "password1234"}, 422),
        ({"alias": "ada", "passphrase": "aaaaaaaaaaaaaaaa"}, 422),
        ({"alias": "ada", "passphrase": PASSPHRASE, "name": "a\u202eb"}, 422),
        ({"alias": "ada", "passphrase": PASSPHRASE, "admin": True}, 422),
        ({"alias": 7, "passphrase": PASSPHRASE}, 422),
        ([], 422),
    ]
    for document, status in wishes:
        refused = call(league.app, "POST", "/api/v1/accounts", document)
        assert refused.status_code == status
        assert fields(refused)["error"].endswith(".")


def test_an_unknown_alias_and_a_wrong_passphrase_are_one_refusal(league: LeagueApp) -> None:
    league.sign_up("ada")
    refused = [
        call(league.app, "POST", "/api/v1/sessions", {"alias": alias, "passphrase": "wrong wrong wrong"})
        for alias in ("ada", "nobody-here", "\0", "x" * 5000)
    ]
    assert {(each.status_code, each.content) for each in refused} == {(401, refused[0].content)}


def test_wrong_tries_make_the_next_wait_and_nobody_else(league: LeagueApp) -> None:
    league.sign_up("ada")
    wish = {"alias": "ada", "passphrase": "wrong wrong wrong"}
    answers = [call(league.app, "POST", "/api/v1/sessions", wish, address="203.0.113.5") for _ in range(6)]
    assert [each.status_code for each in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    right = wish | {"passphrase": PASSPHRASE}
    assert call(league.app, "POST", "/api/v1/sessions", right, address="203.0.113.5").status_code == 429
    assert call(league.app, "POST", "/api/v1/sessions", right, address="203.0.113.6").status_code == 201
    league.now_utc_ns += 61 * NS_PER_S
    assert call(league.app, "POST", "/api/v1/sessions", right, address="203.0.113.5").status_code == 201


def test_a_recovery_code_signs_in_once(league: LeagueApp) -> None:
    _, told = league.sign_up("ada")
    code = told["recovery_codes"][3]
    typed = {"alias": "ada", "recovery_code": f" {code.lower().replace('-', ' ')} "}
    lost = FormBrowser(league.app)
    entered = lost.call("POST", "/api/v1/sessions", typed)
    assert entered.status_code == 201
    assert fields(lost.get("/api/v1/me"))["recovery_codes_left"] == 9
    assert call(league.app, "POST", "/api/v1/sessions", typed).status_code == 401
    lost.page = f'name="csrf-token" content="{fields(entered)["csrf_token"]}"'
    renewed = fields(lost.call("POST", "/api/v1/me/recovery-codes"))["recovery_codes"]
    other = told["recovery_codes"][4]
    assert call(league.app, "POST", "/api/v1/sessions", typed | {"recovery_code": other}).status_code == 401
    assert call(league.app, "POST", "/api/v1/sessions", typed | {"recovery_code": renewed[0]}).status_code == 201


def test_what_cannot_be_undone_needs_a_fresh_sign_in(league: LeagueApp) -> None:
    ada, _ = league.sign_up("ada")
    [credential] = fields(ada.get("/api/v1/me"))["credentials"]
    last = ada.call("DELETE", f"/api/v1/me/credentials/{credential['credential_id']}")
    assert (last.status_code, "the last way" in last.text) == (422, True)
    league.now_utc_ns += PROOF_NS + 1
    for method, path, document in (
        ("PATCH", "/api/v1/me", {"passphrase": "another good passphrase"}),
        ("POST", "/api/v1/me/recovery-codes", None),
        ("DELETE", f"/api/v1/me/credentials/{credential['credential_id']}", None),
    ):
        refused = ada.call(method, path, document)
        assert (refused.status_code, "Sign in once more" in refused.text) == (403, True)


def test_a_new_passphrase_ends_all_other_sessions(league: LeagueApp) -> None:
    ada, _ = league.sign_up("ada")
    other = FormBrowser(league.app)
    other.call("POST", "/api/v1/sessions", {"alias": "ada", "passphrase": PASSPHRASE})
    assert other.get("/api/v1/me").status_code == 200
    assert ada.call("PATCH", "/api/v1/me", {"passphrase": "another good passphrase"}).status_code == 200
    assert (ada.get("/api/v1/me").status_code, other.get("/api/v1/me").status_code) == (200, 401)
    wish = {"alias": "ada", "passphrase": PASSPHRASE}
    assert call(league.app, "POST", "/api/v1/sessions", wish).status_code == 401


def test_a_key_is_bound_to_races_that_its_maker_organises(league: LeagueApp) -> None:
    olga = browser(league.app, league.store, account(league.store, "olga"), league.now_utc_ns)
    olga.get("/")
    wish = {"name": "Station 1", "scopes": ["results:write"], "races": ["cup"]}
    made = olga.call("POST", "/api/v1/keys", wish)
    assert made.status_code == 201, made.text
    assert re.fullmatch(r"rk_[\w-]{43}", fields(made)["key"])
    listed = fields(olga.get("/api/v1/keys"))
    assert [(each["name"], each["races"], each["used_at"]) for each in listed] == [("Station 1", ["cup"], None)]
    tom = browser(league.app, league.store, account(league.store, "tom"), league.now_utc_ns)
    tom.get("/")
    assert tom.call("POST", "/api/v1/keys", wish).status_code == 403
    assert tom.call("POST", "/api/v1/keys", wish | {"races": []}).status_code == 403
    assert tom.call("POST", "/api/v1/keys", wish | {"races": ["nowhere"]}).status_code == 404
    # Anybody may make a community race: no key for it gets at the models of those who enter.
    club = fields(
        tom.call("POST", "/api/v1/races", {"name": "Toms club", "track": "reinvent_base", "venue": "virtual"})
    )
    own = wish | {"races": [club["race_id"]]}
    assert tom.call("POST", "/api/v1/keys", own).status_code == 201
    refused = tom.call("POST", "/api/v1/keys", own | {"scopes": ["results:write", "farm"]})
    assert (refused.status_code, "it needs an admin's key" in refused.text) == (403, True)
    assert olga.call("POST", "/api/v1/keys", wish | {"scopes": ["farm"]}).status_code == 201
    assert call(league.app, "POST", "/api/v1/keys", own | {"scopes": ["farm"]}, sample_races.TOKEN).status_code == 201
    assert olga.call("POST", "/api/v1/keys", wish | {"scopes": []}).status_code == 422
    assert olga.call("POST", "/api/v1/keys", wish | {"scopes": ["everything"]}).status_code == 422
    assert olga.call("POST", "/api/v1/keys", wish | {"expires_at": "2001-01-01T00:00:00Z"}).status_code == 422
    key_id = fields(made)["record"]["key_id"]
    assert tom.call("DELETE", f"/api/v1/keys/{key_id}").status_code == 404
    assert fields(olga.call("DELETE", f"/api/v1/keys/{key_id}"))["revoked_at"]
    assert call(league.app, "GET", "/api/v1/keys", key=fields(made)["key"]).status_code == 401


def test_a_role_that_is_taken_away_takes_its_keys_along(league: LeagueApp) -> None:
    grant = {"role": "organiser", "race": "cup"}
    tom = browser(league.app, league.store, account(league.store, "tom"), league.now_utc_ns)
    tom.get("/")
    given = call(league.app, "POST", "/api/v1/accounts/TOM/roles", grant, sample_races.TOKEN)
    assert fields(given)["roles"] == [{"role": "organiser", "race": "cup", "season": ""}]
    wish = {"name": "Hall", "scopes": ["live:write"], "races": ["cup"]}
    key = fields(tom.call("POST", "/api/v1/keys", wish))["key"]
    assert call(league.app, "GET", "/api/v1/me", key=key).status_code == 403
    path = "/api/v1/accounts/tom/roles/organiser?race=cup"
    assert fields(call(league.app, "DELETE", path, key=sample_races.TOKEN))["roles"] == []
    assert call(league.app, "GET", "/api/v1/me", key=key).status_code == 401
    audited = fields(call(league.app, "GET", "/api/v1/audit?race=cup", key=sample_races.TOKEN))["rows"]
    assert [(row["what"], row["actor"]) for row in audited] == [("role.revoke", "admin"), ("role.grant", "admin")]


def test_roles_that_there_are_not(league: LeagueApp) -> None:
    account(league.store, "tom")
    wishes: list[tuple[dict[str, str], int]] = [
        ({"role": "admin", "race": "cup"}, 422),
        ({"role": "king"}, 422),
        ({"role": "official", "race": "cup", "season": "s"}, 422),
        ({"role": "official", "race": "nowhere"}, 404),
    ]
    for grant, status in wishes:
        assert call(league.app, "POST", "/api/v1/accounts/tom/roles", grant, sample_races.TOKEN).status_code == status


def test_the_last_admin_stays(league: LeagueApp) -> None:
    account(league.store, "root", Grant("admin"))
    refused = call(league.app, "DELETE", "/api/v1/accounts/root/roles/admin", key=sample_races.TOKEN)
    assert (refused.status_code, "last admin" in refused.text) == (422, True)


def test_an_official_renames_with_a_reason_and_the_old_alias_stays_taken(league: LeagueApp) -> None:
    ada, _ = league.sign_up("adaa")
    official = browser(league.app, league.store, account(league.store, "otto", Grant("official")), league.now_utc_ns)
    official.get("/")
    path = "/api/v1/accounts/adaa"
    assert official.call("PATCH", path, {"alias": "ada", "why": " "}).status_code == 422
    assert official.call("PATCH", path, {"alias": "otto", "why": "typo"}).status_code == 409
    assert fields(official.call("PATCH", path, {"alias": "ada", "why": "typo"}))["alias"] == "ada"
    assert fields(ada.get("/api/v1/me"))["account"]["alias"] == "ada"
    taken = call(league.app, "POST", "/api/v1/accounts", {"alias": "adaa", "passphrase": PASSPHRASE})
    assert taken.status_code == 409
    old = {"alias": "adaa", "passphrase": PASSPHRASE}
    assert call(league.app, "POST", "/api/v1/sessions", old).status_code == 401
    assert call(league.app, "POST", "/api/v1/sessions", old | {"alias": "ada"}).status_code == 201
    assert ada.call("PATCH", path, {"alias": "x-y-z", "why": "mine"}).status_code == 403


def test_the_audit_is_read_page_by_page(league: LeagueApp) -> None:
    for number in range(5):
        league.sign_up(f"racer-{number}")
    seen, cursor = [], ""
    while True:
        page = fields(call(league.app, "GET", f"/api/v1/audit?limit=2&before={cursor}", key=sample_races.TOKEN))
        seen += [row["after"]["alias"] for row in page["rows"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == [f"racer-{number}" for number in reversed(range(5))]
    assert call(league.app, "GET", "/api/v1/audit?before=x", key=sample_races.TOKEN).status_code == 422


def test_a_foreign_page_signs_nobody_in(league: LeagueApp) -> None:
    league.sign_up("ada")
    victim = FormBrowser(league.app)
    wish = {"alias": "ada", "passphrase": PASSPHRASE}
    assert victim.call("POST", "/api/v1/sessions", wish, origin="http://evil.test").status_code == 403
    assert victim.cookies == {}
