"""The tracks' page over real HTTP, as a browser without scripts uses it; and its cards, from every published track."""

import io
import pathlib
import re
import tempfile
import zipfile
from collections.abc import Iterator

import pytest
import requests

from shared.errors import BadInput
from shared.tracks.array_file import MAX_FILE_BYTES
from shared.tracks.outline import outline_of
from shared.tracks.shipped import TITLES, shipped_bytes, shipped_names, shipped_outline
from station.access.roles import Role
from station.core import inputs as e
from station.core.event.records import EventInfo
from station.store.event_files.tracks import TrackEntry, TrackLibrary
from station.views.event_view import EventView
from station.web.pages.tracks.presenter import track_cards
from tests.station.web.conftest import Served, serve
from tests.station.web.event_station import EventStation, event_station
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import session_of

OVAL = shipped_bytes("Oval_track")
HUGE_HEADER = b"\x93NUMPY\x02\x00" + (3_000_000_000).to_bytes(4, "little") + b"{" * 500
PICKLE = b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94\x8c\x04eval\x94\x93\x94."
OBJECTS = (
    b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (9, 6), }".ljust(117) + b"\n"
)


@pytest.fixture(scope="module")
def station() -> Iterator[EventStation]:
    with tempfile.TemporaryDirectory(prefix="rd-") as folder, event_station(pathlib.Path(folder)) as station:
        yield station


class Browser:
    """A browser without scripts on the tracks' page: it sends the page's forms, and their cookies."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()
        self.session.headers["accept"] = "text/html"

    def page(self, query: str = "") -> str:
        return self.session.get(f"{self.url}/tracks{query}", timeout=60).text

    def token(self) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.page())
        assert found is not None
        return found[1]

    def send(self, act: str, **fields: str) -> requests.Response:
        return self.session.post(f"{self.url}/tracks/{act}", {"form_token": self.token(), **fields}, timeout=60)

    def upload(self, name: str, data: bytes, file: str = "hall.npy", **fields: str) -> requests.Response:
        values = {"form_token": self.token(), "name": name, **fields}
        return self.session.post(f"{self.url}/tracks/upload", values, files={"file": (file, data)}, timeout=60)


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", b"\0" * 1_000_000)
    return packed.getvalue()


def patched(data: bytes, value: bytes) -> bytes:
    """The file with another first number."""
    return data[:128] + value + data[136:]


def test_a_track_is_uploaded_chosen_drawn_and_deleted(station: EventStation) -> None:
    browser = Browser(station.url)
    stored = browser.upload("Halle Süd", OVAL, "../../etc/x.npy")
    assert "The track is stored. It is the very same file as Oval_track." in stored.text
    page = browser.page("?find=s%C3%BCd")
    assert page.count('<svg class="track"') == 1
    for words in ("Halle Süd", "19.55 m", "no lap under 4.8 s", "uploaded by operator", "Choose for the event"):
        assert words in page
    assert "It was there already" in browser.upload("halle süd", OVAL).text
    assert "give this one another name" in browser.upload("Oval track", shipped_bytes("Monaco")).text

    assert "track of the event now" in browser.send("choose", track="Halle Süd").text
    event = station.event.event
    assert event is not None
    assert (event.track, event.track_length_m) == ("Halle Süd", 19.55)
    shown = browser.session.get(f"{station.url}/event?act=create", timeout=60).text
    assert 'class="event-track"' in shown
    assert '<option value="Halle Süd">' in shown
    assert 'placeholder="4.8"' in shown, "the shortest lap of the uploaded track"
    assert "it stays" in browser.send("remove", track="HALLE-SÜD").text
    station.give(e.ChangeEvent(author="Ruth", track="reinvent_base"))
    assert "off the list" in browser.send("remove", track="Halle Süd").text
    assert "Halle Süd" not in browser.page()
    audit = browser.session.get(f"{station.url}/audit?what=track", timeout=60).text
    assert "Upload a track" in audit
    assert "Take a track off the list" in audit


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (PICKLE, "is not a NumPy file"),
        (zipped(), "is not a NumPy file"),
        (OBJECTS, "must hold one table of float32 or float64"),
        (HUGE_HEADER, "must hold one table of float32 or float64"),
        (OVAL[:-8], "is cut short"),
        (patched(OVAL, b"\0\0\0\0\0\0\xf8\x7f"), "not finite"),
        (OVAL.replace(b", 6)", b", 3)"), "cut short"),
        (b"", "Choose a file first."),
        (b"\x93NUMPY" + b"\0" * MAX_FILE_BYTES, "larger than 4 MB"),
    ],
)
def test_what_is_no_track_is_refused_with_one_sentence(station: EventStation, data: bytes, sentence: str) -> None:
    browser = Browser(station.url)
    answer = browser.upload("<b>x</b>", data)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert "<b>x" not in answer.text
    assert not [entry for entry in TrackLibrary(station.rig.path.parent).entries() if entry.name == "<b>x</b>"]


def test_a_forged_upload_and_a_referee_are_refused(station: EventStation) -> None:
    browser = Browser(station.url)
    address, file = f"{station.url}/tracks/upload", {"file": ("a.npy", OVAL)}
    token = {"form_token": browser.token()}
    blind = requests.post(address, {"name": "Evil"}, files=file, timeout=60)
    evil = browser.session.post(address, token, files=file, headers={"origin": "http://evil.example"}, timeout=60)
    plain = browser.session.post(address, token, timeout=60)
    late = browser.session.post(address, files=[("file", ("a.npy", OVAL)), ("form_token", (None, token["form_token"]))])
    assert [each.status_code for each in (blind, evil, plain, late)] == [403, 403, 415, 403]
    assert not [entry for entry in TrackLibrary(station.rig.path.parent).entries() if entry.sha256]


def test_only_operators_open_it() -> None:
    def statuses(served: Served) -> list[int]:
        headers = {"cookie": f"raceday_session={session_of(served.access, 'Ref', Role.REFEREE)}"}
        get = requests.get(f"{served.url}/tracks", headers=headers, timeout=60)
        post = requests.post(f"{served.url}/tracks/upload", headers=headers, files={"file": b"x"}, timeout=60)
        return [get.status_code, post.status_code]

    for served in serve(FakeStation(), signed_in=False):
        assert statuses(served) == [403, 403]


def test_every_published_track_has_a_card_with_an_arrow_each_way() -> None:
    entries = [TrackEntry(name, TITLES.get(name, name), shipped_outline(name).length_m) for name in shipped_names()]
    for direction in ("counterclockwise", "clockwise"):
        event = EventView(EventInfo("cup", "Cup", "RE:INVENT 2018", direction))
        cards = track_cards(entries, shipped_outline, event)
        assert len(cards) == len(entries) == 24
        assert (cards[0].name, cards[0].chosen, cards[0].used) == ("reinvent_base", True, True)
        assert not any(card.removable or card.chosen for card in cards[1:])
        assert all(card.drawing is not None and card.drawing.arrow and card.drawing.road for card in cards)
    assert [card.title for card in track_cards(entries, shipped_outline, EventView(), " speedway")] == [
        "A to Z Speedway",
        "Smile Speedway",
        "RL Speedway",
    ]


def test_all_real_tracks_are_read_or_refused_with_a_sentence(shared_data: pathlib.Path) -> None:
    refused = {}
    for path in sorted((shared_data / "tracks").glob("*.npy")):
        try:
            outline_of(path.stem, path.read_bytes())
        except BadInput as error:
            refused[path.stem] = str(error)
    assert list(refused) == ["Straight_track"]
    assert "is not closed" in refused["Straight_track"]
