"""The backups' page: whom it is for, what it refuses, what it shows. The whole way: tests/system/station."""

import pathlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
import requests

from shared.errors import Refused
from station.access.roles import Role
from station.checklists.stored_file import FILE as CHECKLISTS
from station.service.backups.contents import Contents
from station.service.backups.station_backups import FOLDER, MAX_FILES, StationBackups, Work
from station.store.recovery.restoring import STAGED, Restore, is_committed
from station.web.pages.backup.presenter import backup_panel
from tests.station.store.test_opening import station_folder
from tests.station.web.conftest import serve
from tests.station.web.event_station import EventStation, event_station
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import session_of

UTC = ZoneInfo("UTC")


@pytest.fixture(scope="module")
def station() -> Iterator[EventStation]:
    with tempfile.TemporaryDirectory(prefix="rd-") as folder, event_station(pathlib.Path(folder)) as station:
        yield station


def test_the_page_is_for_admins_and_refuses_forged_forms_and_other_files(station: EventStation) -> None:
    browser = requests.Session()
    browser.headers["accept"] = "text/html"
    page = browser.get(f"{station.url}/backup", timeout=60).text
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found is not None
    token = {"form_token": found[1]}
    assert 'href="/backup"' in browser.get(f"{station.url}/event", timeout=60).text
    for name in ("..%2Faccess.db", "%2Fetc%2Fpasswd", "station.key", "none.zip"):
        assert browser.get(f"{station.url}/backup/files/{name}", timeout=60).status_code == 404
    statuses = [
        browser.post(f"{station.url}/backup/make", {"form_token": "0" * 64}, timeout=60).status_code,
        browser.post(f"{station.url}/backup/make", token, headers={"origin": "http://evil"}, timeout=60).status_code,
        browser.post(f"{station.url}/backup/check", {**token, "name": "../x.zip"}, timeout=60).status_code,
        browser.post(f"{station.url}/backup/restore", {**token, "name": "none.zip"}, timeout=60).status_code,
        browser.post(f"{station.url}/backup/shred", token, timeout=60).status_code,
        browser.post(f"{station.url}/backup/upload", token, files={"file": ("a.zip", b"")}, timeout=60).status_code,
    ]
    assert statuses == [403, 403, 400, 400, 400, 400]
    assert not list((station.rig.path.parent / FOLDER).glob("*")), "nothing is left of what was refused"


def test_operators_neither_fetch_nor_restore_the_key() -> None:
    for served in serve(FakeStation(), signed_in=False):
        headers = {"cookie": f"raceday_session={session_of(served.access, 'Olga', Role.OPERATOR)}"}
        for path in ("/backup", "/backup/state", "/backup/files/a.zip"):
            assert requests.get(served.url + path, headers=headers, timeout=60).status_code == 403
        assert 'href="/backup"' not in requests.get(f"{served.url}/event", headers=headers, timeout=60).text


def test_the_page_says_what_goes_on_and_compares(tmp_path: pathlib.Path) -> None:
    backups = StationBackups(tmp_path)
    path = backups.new_path("raceday")
    path.write_bytes(b"x" * 2_500_000)
    backups.work = Work("check", path.name, share=0.4)
    panel = backup_panel(backups, run_is_on=False, zone=UTC)
    assert (panel.percent, panel.words, panel.chosen) == (40, "The backup is being checked.", "")
    assert panel.files[0].size == "2.5 MB"
    with pytest.raises(Refused, match="at work on a backup"):
        backups.make()
    there, here = Contents("Cup", 2, 12, 40, 900, 1_790_000_000 * 10**9), Contents("Cup", 2, 12, 41, 950, 0)
    backups.work = replace(backups.work, over=True, there=there, here=here)
    panel = backup_panel(backups, run_is_on=True, zone=UTC)
    assert (panel.percent, panel.chosen) == (None, path.name)
    assert [row.differs for row in panel.rows] == [False, False, False, True, True, True]
    assert panel.why_not == "A run is on: restore when it is over."
    backups.remove(path.name)
    assert backup_panel(backups, run_is_on=False, zone=UTC).chosen == "", "what is deleted is not offered"
    for number in range(MAX_FILES):
        (backups.folder / f"b-{number}.zip").write_bytes(b"")
    with pytest.raises(Refused, match="delete one first"):
        backups.new_path("raceday")


def test_a_backup_without_the_ticks_says_so_beside_the_file(tmp_path: pathlib.Path) -> None:
    data = station_folder(tmp_path / "data")
    (data / CHECKLISTS).mkdir()
    backups = StationBackups(data)
    name = backups.make()
    backups.wait(60)
    for served in serve(FakeStation(), backups=backups):
        english, german = (
            requests.get(f"{served.url}/backup", headers={"accept-language": language}, timeout=60).text
            for language in ("en", "de")
        )
    assert f'href="/backup/files/{name}"' in english
    assert "The ticks of the checklists are not in it" in english
    assert "The ticks of the checklists" not in german
    (data / CHECKLISTS).rmdir()
    backups.make()
    backups.wait(60)
    assert backup_panel(backups, run_is_on=False, zone=UTC).left_out == ""


def test_a_run_that_began_meanwhile_is_worth_more_than_a_restore(tmp_path: pathlib.Path) -> None:
    backups = StationBackups(tmp_path)
    backups.new_path("raceday").write_bytes(b"")
    with pytest.raises(Refused, match="Check this backup first"):
        backups.restore(backups.files()[0].name, "Ruth")
    for run_is_on in (True, False):
        (tmp_path / STAGED).mkdir(exist_ok=True)
        backups._wanted = Restore("a.zip", 9, "00", with_posts=False, person="Ruth")
        backups.commit_if_wanted(run_is_on)
        assert is_committed(tmp_path) is not run_is_on
        assert (tmp_path / STAGED).exists() is not run_is_on


def test_what_a_kill_has_left_is_removed_at_the_start(tmp_path: pathlib.Path) -> None:
    backups = StationBackups(tmp_path)
    backups.new_path("raceday").write_bytes(b"whole")
    for folder in ("check.abc", f"{FOLDER}/raceday-1.zip.xyz", STAGED):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "station.key").write_bytes(b"a copy")
    (tmp_path / FOLDER / "uploaded-1.part").write_bytes(b"half")
    backups.remove_left_over()
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]
    assert [path.suffix for path in (tmp_path / FOLDER).iterdir()] == [".zip"]
