"""What the leaderboard refuses is counted by its kind and by where it came from."""

import pathlib

from shared.access.pass_code_hashing import Argon2idHasher
from shared.refusals import Refusals
from tests.leaderboard.in_process import FormBrowser, call
from tests.leaderboard.league_app import league_app

STRANGER = "10.66.6.6"
CHEAP = Argon2idHasher(memory_kib=8, passes=1)


def test_requests_are_counted_by_what_is_wrong_with_them(tmp_path: pathlib.Path) -> None:
    with league_app(tmp_path, CHEAP) as league:
        refusals: Refusals = league.app.state.refusals
        ada, _ = league.sign_up()
        assert refusals.counts() == ()
        eve = FormBrowser(league.app, STRANGER)
        signed = {"webhook-id": "run-1.1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        assert eve.call("POST", "/api/v1/results", {}, **signed).status_code == 401
        assert call(league.app, "POST", "/api/v1/results", {}, "guessed-key-0000", STRANGER).status_code == 401
        eve.get("/sign-in")
        assert eve.submit("/sign-in", alias="ada", passphrase="guessed").status_code == 401
        assert eve.call("POST", "/api/v1/races", {"race_id": "mine"}).status_code == 401
        assert ada.call("POST", "/api/v1/races", {}, origin="http://evil.example").status_code == 403
        ada.get("/claim")
        assert ada.submit("/claim", code="AAAAA-AAAAA").status_code == 403
        assert refusals.totals() == {"signature": 1, "key": 1, "pass code": 1, "sign-in": 1, "origin": 1, "code": 1}
        rows = {row.kind: (row.who, row.what) for row in refusals.counts()}
        assert rows["signature"] == (STRANGER, "POST /api/v1/results")
        assert rows["code"] == ("192.0.2.7", "POST /claim")
