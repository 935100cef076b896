"""Backup and restore as an admin does it in the browser, with a real `raceday station` that starts again by itself."""

import functools
import io
import pathlib
import re
import threading
from collections.abc import Iterator

import pytest
import requests

from station.access.access_store import ACCESS, AccessStore
from station.checklists.stored_file import FILE as CHECKLISTS
from station.store.journal_reader import JournalReader
from station.store.opening import JOURNAL
from station.store.recovery.restoring import last_restore
from tests.station.web.signed_in import PASSPHRASE, cheap_access, session_of
from tests.system.station.test_process import CONFIG, Process, post

BROUGHT = (
    b'{"ticks": [{"key": "road", "person": "Olga", "at_utc_ns": 1700000000123456789, "on": true, "device": "Phone"}]}'
)
STILL = CONFIG.replace("every_s = 0.15, ", "")  # nobody drives by himself


class Admin:
    """An admin's browser without scripts."""

    def __init__(self, url: str, session: str) -> None:
        self.url, self.session = url, requests.Session()
        self.session.headers.update({"accept": "text/html", "cookie": f"raceday_session={session}"})

    def page(self) -> str:
        return self.session.get(f"{self.url}/backup", timeout=60).text

    def send(self, act: str, data: bytes = b"", **fields: str) -> requests.Response:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.page())
        assert found is not None
        files = {"file": ("mine.zip", io.BytesIO(data))} if data else None
        values = {"form_token": found[1], **fields}
        return self.session.post(f"{self.url}/backup/{act}", values, files=files, timeout=60)

    def when_done(self) -> str:
        """The page, once the work is over."""
        for _ in range(600):
            if not self.session.get(f"{self.url}/backup/state", timeout=60).json()["busy"]:
                return self.page()
            threading.Event().wait(0.05)
        raise AssertionError("the work on the backup does not end")


@pytest.fixture
def station(tmp_path: pathlib.Path) -> Iterator[Process]:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / CHECKLISTS).write_bytes(BROUGHT)  # as `raceday restore` leaves it for the first start
    process = Process(tmp_path, text=STILL)
    yield process
    process.kill()


def ticks_logged(data: pathlib.Path) -> list[tuple[str, str, str]]:
    store = AccessStore(data / ACCESS)
    found = [(each.subject, each.person, each.device) for _, each in store.events() if each.deed == "line_ticked"]
    store.close()
    return found


def test_everything_is_backed_up_and_restored_in_the_browser(station: Process) -> None:
    access = cheap_access(station.data)
    session = session_of(access, "Ruth")
    access.close()
    url = station.url()
    station.next_value("race control: http")
    give = functools.partial(post, url)
    give(command="create_event", name="Winter Cup")
    assert ticks_logged(station.data) == [("road", "Olga", "Phone")]
    give(command="open_run", racer="Ada", car="car-1")  # a backup is made while a run is on
    admin = Admin(url, session)
    assert admin.send("make").status_code == 200
    page = admin.when_done()
    assert "The backup is ready:" in page
    found = re.search(r'href="/backup/files/(raceday-[0-9-]+\.zip)"', page)
    assert found is not None
    made = admin.session.get(f"{url}/backup/files/{found[1]}", timeout=60).content
    assert made.startswith(b"PK")

    give(command="change_event", name="Spring Cup")
    assert "is not a complete backup" in admin.send("upload", made[:1000]).text + admin.when_done()
    admin.send("upload", made)
    page = admin.when_done()
    for words in ("The backup is whole", "Winter Cup", "Spring Cup", "A run is on: restore when it is over."):
        assert words in page
    uploaded = re.search(r"Restore (uploaded-[0-9-]+\.zip)\?", page)
    assert uploaded is not None
    restore = functools.partial(admin.send, "restore", name=uploaded[1])
    assert "A run is on" in restore(pin=PASSPHRASE).text
    give(command="abandon", reason="enough", run_id="run-1")
    assert "Spring Cup" in admin.page()
    assert "This is not the PIN or passphrase of Ruth." in restore(pin="wrong").text
    assert restore(pin=PASSPHRASE).status_code in (200, 503)

    again = Admin(station.next_value("listening on http://127.0.0.1:"), session)
    page = again.page()
    assert f"Last restored: {uploaded[1]}" in page
    assert "before-restore-" in page, "what was there is kept as a backup"
    assert "Winter Cup" in again.session.get(f"{again.url}/event", timeout=60).text
    assert "Restore a backup" in again.session.get(f"{again.url}/audit", timeout=60).text, "people stay, and the audit"
    assert ticks_logged(station.data) == [("road", "Olga", "Phone")], "once, however often the station starts"
    done = last_restore(station.data)
    assert done is not None
    assert done.person == "Ruth"
    reader = JournalReader(station.data / JOURNAL)
    starts = [record.input for record in reader.records() if record.input.startswith(b'["Booted"')]
    reader.close()
    assert len(set(starts)) == len(starts) == 2, "each life has a random start, so that no result id is used twice"
