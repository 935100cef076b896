"""docs/run-an-event.md is followed: every page, button, field and picture that it names is there.

In the guide a name in italics belongs to the address that was named last before it in its section. It must stand on
that page as a text, in one of the page's states.
"""

import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import pytest

from station.core import inputs as e
from station.screens.register import ScreenRegister
from station.service.backups.station_backups import StationBackups
from station.store.event_files.tracks import TrackLibrary
from station.views.runs.run_archive import RunPage, RunSummary
from station.views.views import View
from station.web.app import create_app
from tests.shared.web.test_error_pages import TestClient
from tests.station.service.station_rig import Rig
from tests.station.web import operate_views
from tests.station.web.archived_runs import working
from tests.station.web.data_sets import CODE, SETS
from tests.station.web.extreme_views import NAMES
from tests.station.web.sample_views import CAR, EMPTY, GATE, FakeStation
from tests.station.web.signed_in import SignedIn, cheap_access, session_of

DOCS = pathlib.Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "run-an-event.md").read_text(encoding="utf-8")
USUAL, NOTHING = SETS["9-racers"].view, EMPTY
IDLE = replace(USUAL, run=None, runs=())
OPEN = replace(IDLE, event=replace(IDLE.event, races=tuple(replace(race, state="open") for race in IDLE.event.races)))
TRIPPED = replace(operate_views.ONE, cars=(replace(CAR, mode="tripped", reason="frames too old", alarm="Tripped."),))
DEAD_GATE = replace(operate_views.CALLED, gates=(replace(GATE, alive=False),))
STARTED = operate_views.with_runs(operate_views.QUEUED, replace(operate_views.ARMED_RUN, released=True))
# Where an address of the guide is, and the states in which all of its names can be seen.
STATES: dict[str, tuple[tuple[str, View], ...]] = {
    "/event": (
        ("/event", NOTHING),
        ("/event", OPEN),
        ("/event?act=event", OPEN),
        ("/event?act=create", OPEN),
        ("/event?act=change&race=race-1", OPEN),
    ),
    "/racers": (*((f"/racers?{act}", OPEN) for act in ("", "act=add", "act=import", f"edit={NAMES[2]}")),),
    "/cars": (("/cars", OPEN), ("/cars?act=add", OPEN)),
    "/operate": tuple(("/operate", view) for view in (*operate_views.STATES.values(), TRIPPED, STARTED, DEAD_GATE)),
    "/runs/ID": (("/runs/run-1", USUAL),),
    "/r/CODE": ((f"/r/{CODE}", USUAL),),
    "/results/RACE": (("/results/race-1", USUAL),),
}


@dataclass
class GuidedStation(FakeStation):
    """A station that shows a view, and the one run of another."""

    archive: Rig | None = None

    def run_list(self) -> tuple[RunSummary, ...]:
        assert self.archive is not None
        return self.archive.station.run_list()

    def run_page(self, run_id: str) -> RunPage | None:
        assert self.archive is not None
        return self.archive.station.run_page(run_id)


class Texts(HTMLParser):
    """Every text of a page, and what a screen reader says in place of one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.found.add(" ".join(data.split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("aria-label", "value") and value}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, TestClient, GuidedStation]]:
    """The station for an admin, one that nobody has claimed, and what both show."""
    folder = tmp_path_factory.mktemp("guide")
    rig = Rig(folder / "station.db")
    rig.open()
    rig.go()
    rig.cross(1)
    rig.cross(9)
    rig.cross(9)
    rig.give(e.FinishRun(author="Ruth", reason="done"))
    station = GuidedStation(view=USUAL, results=SETS["9-racers"].results, archive=rig)
    access, unclaimed = cheap_access(folder), cheap_access(tmp_path_factory.mktemp("unclaimed"))
    screens = ScreenRegister(None)
    screens.here("screen-1", "screen", 1920, 1080, USUAL.clock.utc_ns)
    app = create_app(station, access, screens=screens, tracks=TrackLibrary(folder), backups=StationBackups(folder))
    app.add_middleware(SignedIn, session=session_of(access))
    with working(rig):
        yield TestClient(app), TestClient(create_app(station, unclaimed)), station
    for each in (access, unclaimed):
        each.close()
    rig.station.close()


def named() -> dict[str, set[str]]:
    """The addresses of the guide, each with the names that must be on it."""
    found: dict[str, set[str]] = {}
    for section in re.split(r"^## ", GUIDE, flags=re.MULTILINE)[1:]:
        address = ""
        for path, name in re.findall(r"`(/[\w/-]*)`|(?<!\*)\*([^*\n]+)\*(?!\*)", section):
            if path:
                address = path
                found.setdefault(address, set())
            else:
                assert address, f"the guide names {name!r} before any page"
                found[address].add(name)
    return found


PAGES = named()


@pytest.mark.parametrize("address", PAGES)
def test_each_page_of_the_guide_has_what_the_guide_names(
    client: tuple[TestClient, TestClient, GuidedStation], address: str
) -> None:
    signed_in, unclaimed, station = client
    texts: set[str] = set()
    for path, view in STATES.get(address, ((address, USUAL),)):
        station.view = view
        answer = (unclaimed if address == "/claim" else signed_in).get(path, {"accept": "text/html"})
        assert answer.status_code == 200 or (address == "/results" and answer.status_code == 303), path
        texts |= Texts(answer.text).found
    assert sorted(PAGES[address] - texts) == []


def test_the_guide_is_short_and_its_pictures_are_there() -> None:
    assert len(GUIDE.splitlines()) <= 150
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", GUIDE)
    assert len(pictures) >= 6
    assert [each for each in pictures if not (DOCS / each).is_file()] == []
