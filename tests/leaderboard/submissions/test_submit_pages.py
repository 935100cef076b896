"""The pages of submissions: a file by the plain form, a model that is here, refusals, and what officials see."""

import re
from collections.abc import Iterator

import pytest

from leaderboard.core.access import Caller, Grant
from leaderboard.submissions.uploads import NewUpload
from shared.access.pass_code_hashing import Argon2idHasher
from tests.leaderboard.in_process import HOST, FormBrowser
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.leaderboard.signed_in import account, browser
from tests.leaderboard.submissions.every_state import submitted
from tests.leaderboard.submissions.racers import archive, sha256, virtual_race
from tests.shared.web.test_error_pages import Answer


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    with league_app(tmp_path_factory.mktemp("pages"), Argon2idHasher(memory_kib=8, passes=1)) as made:
        account(made.store, "olga", Grant("official"))
        yield made


def person(league: LeagueApp, alias: str) -> FormBrowser:
    return browser(league.app, league.store, account(league.store, alias), league.now_utc_ns)


def with_file(who: FormBrowser, path: str, content: bytes, **fields: str) -> Answer:
    """Send the form of the page with a file, as a browser without scripts does."""
    token = re.search(r'name="csrf" value="(\w+)"', who.page)
    assert token
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in (fields | {"csrf": token[1]}).items()]
    parts.append(b'name="file"; filename="C:\\models\\my-car.tar.gz"\r\n\r\n' + content)
    body = b"".join(b"--edge\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    headers = {"accept": "text/html", "origin": f"http://{HOST}", "content-type": "multipart/form-data; boundary=edge"}
    return who._request("POST", path, headers, body)


def test_a_small_file_by_the_plain_form(league: LeagueApp) -> None:
    ann = person(league, "ann")
    path = f"/races/{virtual_race(league, 'plain', 'ann', attempts_per_day=5, in_work_per_racer=2)}/submissions"
    assert path in ann.get("/races/plain").text
    assert "5 left today" in ann.get(path).text
    refused = with_file(ann, path, b"<html>", name="", checkpoint="")
    assert (refused.status_code, "no model&#39;s archive" in refused.text) == (422, True)
    assert with_file(ann, path, archive(1), name="", checkpoint="agent/7").status_code == 303
    page = ann.get(path).text
    assert "my-car is submitted." in page
    for words in (
        "my-car</b>",
        "agent/7",
        "Queued",
        "Next in the queue",
        "It waits for its evaluation.",
        "4 left today",
    ):
        assert words in page
    # The same bytes again, and a model that is here: neither is sent.
    assert with_file(ann, path, archive(1), name="Other", checkpoint="").status_code == 303
    closed = ann.get(path).text
    assert ("2 submissions of yours are in work" in closed, 'id="submit"' in closed) == (True, False)
    one = re.search(r'name="submission" value="(\w+)"', closed)
    assert one
    assert ann.submit(path, what="cancel", submission=one[1]).status_code == 303
    assert "The submission is cancelled." in ann.get(path).text
    assert f'<option value="{sha256(archive(1))}">my-car (0.0 MB)</option>' in ann.page
    assert ann.submit(path, model=sha256(archive(1))).status_code == 303
    again = ann.submit(path, what="cancel", submission=one[1])
    assert (again.status_code, "decided already" in again.text) == (422, True)


def test_who_is_refused_is_told_why(league: LeagueApp) -> None:
    bea, stranger = person(league, "bea"), FormBrowser(league.app)
    for race_id, changes, words in (
        ("real", {"venue": "physical"}, "real track"),
        ("others", {}, "enter it first"),
        ("gone", {"closes_utc_ns": league.now_utc_ns}, "is over"),
    ):
        page = bea.get(f"/races/{virtual_race(league, race_id, **changes)}/submissions")
        assert (page.status_code, words in page.text, 'id="submit"' in page.text) == (200, True, False), race_id
    assert "Submit a model" not in bea.get("/races/real").text
    assert bea.get("/races/others/submissions/all").status_code == 403
    assert stranger.get("/races/others/submissions").headers["location"] == "/sign-in?next=/races/others/submissions"
    path = f"/races/{virtual_race(league, 'mine', 'bea')}/submissions"
    bea.get(path)
    assert "Choose the file of a model" in bea.submit(path).text
    assert bea.submit(path, model="0" * 64).status_code == 404
    assert bea.submit(path, csrf="wrong", model="0" * 64).status_code == 403


def test_officials_see_all_and_rule(league: LeagueApp) -> None:
    olga = browser(league.app, league.store, "account-olga", league.now_utc_ns)
    account_id = account(league.store, "cem")
    submitted(league.store, "all", account_id, league.now_utc_ns, owner="account-olga", name="Zippy")
    path = "/races/all/submissions/all"
    page = olga.get(path).text
    assert (page.count('<li class="attempt submission'), page.count(">Drive again<"), page.count(">Disqualify<")) == (
        10,
        8,
        4,
    )
    only = olga.get(f"{path}?state=queued").text
    assert only.count('<li class="attempt submission') == 1
    queued = f"{1:016x}"
    assert "Give the reason" in olga.submit(path, what="cancel", submission=queued, why=" ").text
    assert olga.submit(path, what="cancel", submission=queued, why="too slow").status_code == 303
    assert olga.submit(path, what="rerun", submission=f"{4:016x}", why="a fault of ours").status_code == 303
    assert olga.submit(path, what="disqualify", submission=f"{5:016x}", why="a trick").status_code == 303
    page = olga.get(path).text
    for words in ("An official cancelled it: too slow", "once more: a fault of ours", "disqualified: a trick"):
        assert words in page
    german = olga.get(path, **{"accept-language": "de"}).text
    assert "Die Rennleitung hat sie abgebrochen: too slow" in german


def test_own_models_are_seen_and_deleted(league: LeagueApp) -> None:
    dee = person(league, "dee")
    uploads = league.app.state.services.submissions.uploads
    caller = Caller("account-dee", "dee")
    begun = uploads.begin(caller, NewUpload(sha256(archive(8)), len(archive(8)), "Half"), league.now_utc_ns)
    with uploads.receive(caller, begun.upload_id, 0) as chunk:
        chunk.write(archive(8)[:2000])
        chunk.finish(league.now_utc_ns)
    path = f"/races/{virtual_race(league, 'models', 'dee')}/submissions"
    dee.get(path)
    assert with_file(dee, path, archive(9), name="Whole", checkpoint="").status_code == 303
    page = dee.get("/account/models").text
    for words in ("Half", "0.0 of 0.0 MB are here", "Whole", sha256(archive(9))[:12], "0.0 of 1 MB"):
        assert words in page
    needed = dee.submit("/account/models", what="delete", model=sha256(archive(9)))
    assert (needed.status_code, "not evaluated yet" in needed.text) == (422, True)
    one = re.search(r'name="submission" value="(\w+)"', dee.get(path).text)
    assert one
    dee.submit(path, what="cancel", submission=one[1])
    assert dee.submit("/account/models", what="delete", model=sha256(archive(9))).status_code == 303
    assert dee.submit("/account/models", what="cancel", upload=begun.upload_id).status_code == 303
    page = dee.get("/account/models").text
    assert ("No models yet." in page, "Unfinished" in page) == (True, False)
