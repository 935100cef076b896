"""The pages of accounts without scripts: from an invitation's link to signing up and back; the account; the admin's."""

import pathlib
import re
from collections.abc import Iterator

import pytest

from leaderboard.core.access import Grant
from shared.access.pass_code_hashing import Argon2idHasher
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.league_app import PASSPHRASE, LeagueApp, league_app
from tests.leaderboard.signed_in import account, browser


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    with league_app(tmp_path_factory.mktemp("accounts"), Argon2idHasher(memory_kib=8, passes=1)) as made:
        yield made


def test_signing_up_comes_back_to_where_it_began(league: LeagueApp) -> None:
    visitor = FormBrowser(league.app)
    sent = visitor.get("/account")
    assert sent.headers["location"] == "/sign-in?next=/account"
    visitor.get("/sign-in?next=/join/abc_DEF-123")
    assert 'href="/sign-up?next=/join/abc_DEF-123"' in visitor.page
    visitor.get("/sign-up?next=/join/abc_DEF-123")
    refused = visitor.submit("/sign-up", alias="ad", name="Ada", passphrase=PASSPHRASE, next="/join/abc_DEF-123")
    assert refused.status_code == 422
    assert 'value="Ada"' in refused.text
    assert PASSPHRASE not in refused.text
    codes = visitor.submit("/sign-up", alias="ada", name="Ada", passphrase=PASSPHRASE, next="/join/abc_DEF-123")
    assert codes.status_code == 200
    assert len(re.findall(r"<code>[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}</code>", codes.text)) == 10
    assert 'href="/join/abc_DEF-123"' in codes.text
    assert "/sign-out" in visitor.get("/").text
    assert visitor.submit("/sign-out").headers["location"] == "/"
    assert "/sign-out" not in visitor.get("/").text
    visitor.get("/sign-in?next=/account")
    assert visitor.submit("/sign-in", alias="ADA", passphrase="x", next="/account").status_code == 401
    entered = visitor.submit("/sign-in", alias="ADA", passphrase=PASSPHRASE, next="/account")
    assert (entered.status_code, entered.headers["location"]) == (303, "/account")
    code = re.findall(r"<code>([A-Z0-9-]{29})</code>", codes.text)[0]
    lost = FormBrowser(league.app)
    lost.get("/sign-in/recovery")
    assert lost.submit("/sign-in/recovery", alias="ada", code=code).headers["location"] == "/account"
    assert "signed in with a recovery code" in lost.get("/account").text


@pytest.mark.parametrize("wanted", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", ""])
def test_no_link_leads_away_after_signing_in(league: LeagueApp, wanted: str) -> None:
    visitor = FormBrowser(league.app)
    visitor.get(f"/sign-in?next={wanted}")
    assert "evil" not in visitor.page
    alias = f"tom-{abs(hash(wanted)) % 10_000}x"
    visitor.get("/sign-up")
    visitor.submit("/sign-up", alias=alias, passphrase=PASSPHRASE, next=wanted)
    assert "evil" not in visitor.page
    visitor.get("/sign-in")
    assert visitor.submit("/sign-in", alias=alias, passphrase=PASSPHRASE, next=wanted).headers["location"] == "/"


def test_what_the_forms_of_the_account_do(league: LeagueApp) -> None:
    grace = browser(league.app, league.store, account(league.store, "grace"), league.now_utc_ns)
    other = browser(league.app, league.store, "account-grace", league.now_utc_ns)
    grace.get("/account")
    assert "<b>" not in grace.page
    assert grace.submit("/account/name", name="a\u202eb").status_code == 422
    assert 'id="name-error"' in grace.page
    assert grace.submit("/account/name", name="<b>Grace</b>").headers["location"] == "/account"
    assert "&lt;b&gt;Grace&lt;/b&gt;" in grace.get("/account").text
    assert "Your name is changed." in grace.page
    assert grace.submit("/account/passphrase", passphrase="grace-grace-1906").status_code == 422
    assert grace.submit("/account/passphrase", passphrase=PASSPHRASE).status_code == 303
    assert other.get("/account").status_code == 303
    assert "Passphrase" in grace.get("/account").text
    assert "ten codes" not in grace.submit("/account/codes").text
    assert len(re.findall(r"<code>", grace.page)) == 10
    grace.get("/account")
    assert grace.submit("/account/sessions/end", session="none").status_code == 404
    assert grace.submit("/account/sessions/end-others").status_code == 303


def test_a_key_is_shown_once_and_revoked(league: LeagueApp) -> None:
    root = browser(league.app, league.store, account(league.store, "root-1", Grant("admin")), league.now_utc_ns)
    root.get("/account/keys")
    assert root.submit("/account/keys", name="Hall", scope="farm", races="", days="0").status_code == 422
    assert root.submit("/account/keys", name="Hall", scope="farm", races="", days="x" * 90).status_code == 422
    made = root.submit("/account/keys", name="Hall", scope="farm", races="", days="30")
    key = re.search(r"<code>(rk_[\w-]{43})</code>", made.text)
    assert key
    assert key[1] not in root.get("/account/keys").text
    assert "Hall" in root.page
    key_id = re.search(r'name="key" value="(\w+)"', root.page)
    assert key_id
    assert root.submit("/account/keys/revoke", key=key_id[1]).status_code == 303
    assert "The key Hall is revoked." in root.get("/account/keys").text


def test_the_admins_pages(league: LeagueApp) -> None:
    root = browser(league.app, league.store, account(league.store, "root-2", Grant("admin")), league.now_utc_ns)
    account(league.store, "kim")
    root.get("/admin/accounts?q=KI")
    assert 'href="/admin/accounts/kim"' in root.page
    assert 'href="/admin/accounts/root-2"' not in root.page
    assert root.get("/admin/accounts/nobody-here").status_code == 404
    root.get("/admin/accounts/kim")
    given = root.submit("/admin/accounts/kim/roles", role="official", race="cup", season="")
    assert given.headers["location"] == "/admin/accounts/kim"
    assert "Official of the race cup" in root.get("/admin/accounts/kim").text
    assert root.submit("/admin/accounts/kim/roles", role="king").status_code == 422
    assert root.submit("/admin/accounts/kim/roles", role="official", race="cup", season="s").status_code == 422
    assert root.submit("/admin/accounts/kim/roles/revoke", role="official", race="cup").status_code == 303
    assert root.submit("/admin/accounts/kim/rename", alias="kimi", why="asked").headers["location"].endswith("/kimi")
    root.get("/admin/accounts/kimi")
    assert root.submit("/admin/accounts/kimi/sign-out", why="lost").status_code == 303
    audit = root.get("/admin/audit").text
    for what in ("session.revoke_all", "account.rename", "role.revoke", "role.grant", "asked"):
        assert what in audit
    assert root.get("/admin/audit?race=cup").text.count("role.") == 2
    assert root.get("/admin/audit?before=x").status_code == 422
    plain = browser(league.app, league.store, "account-kim", league.now_utc_ns)
    for path in ("/admin/accounts", "/admin/accounts/kimi", "/admin/audit"):
        assert plain.get(path).status_code == 403
        assert FormBrowser(league.app).get(path).headers["location"] == f"/sign-in?next={path}"


def test_the_first_admin_by_the_claim_code(tmp_path: pathlib.Path) -> None:
    with league_app(tmp_path, Argon2idHasher(memory_kib=8, passes=1)) as league:
        code = league.claim.open_code()
        assert league.claim.open_code() == code
        assert (tmp_path / "claim.code").stat().st_mode & 0o777 == 0o600
        olga = browser(league.app, league.store, account(league.store, "olga"), league.now_utc_ns)
        olga.get("/claim")
        assert olga.submit("/claim", code="22222-22222").status_code == 403
        assert olga.submit("/claim", code=f" {code.lower()} ").headers["location"] == "/admin/accounts"
        assert "You are admin of this leaderboard now." in olga.get("/admin/accounts").text
        assert not (tmp_path / "claim.code").exists()
        assert league.claim.open_code() == ""
        tom = browser(league.app, league.store, account(league.store, "tom"), league.now_utc_ns)
        tom.get("/claim")
        assert tom.submit("/claim", code=code).status_code == 403
