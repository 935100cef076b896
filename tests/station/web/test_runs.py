"""The list of runs, one run, previews and evidence over HTTP, from a real station with a journal."""

import functools
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from station.access.roles import Role
from station.views.runs.run_archive import RunSummary
from station.web.pages.run.presenter import run_sheet
from station.web.pages.runs.presenter import RunFilter, run_list
from tests.station.service.station_rig import S
from tests.station.web.archived_runs import ArchiveRig, working
from tests.station.web.conftest import serve
from tests.station.web.extreme_views import NAMES
from tests.station.web.signed_in import PASSPHRASE, session_of


class Client:
    """Asks one server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str) -> requests.Response:
        return requests.get(self._url + path, timeout=60)

    def post(self, path: str, document: object, **headers: str) -> requests.Response:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        return requests.post(
            self._url + path, data, headers={"content-type": "application/json", **headers}, timeout=60
        )


@pytest.fixture(scope="module")
def pages(rig: ArchiveRig) -> Iterator[Client]:
    """An official's."""
    for served in serve(rig.station):  # type: ignore[arg-type]
        yield Client(served.url)


@pytest.fixture(scope="module")
def public(rig: ArchiveRig) -> Iterator[Client]:
    for served in serve(rig.station, signed_in=False):  # type: ignore[arg-type]
        yield Client(served.url)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveRig]:
    rig = ArchiveRig(tmp_path_factory.mktemp("runs") / "station.db")
    with working(rig):
        yield rig


def body(rows: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", rows))


def test_the_list_shows_every_run_and_filters_without_javascript(pages: Client) -> None:
    every = pages.get("/runs").text
    assert [every.index(f'href="/runs/run-{number}"') for number in (3, 2, 1)] == sorted(
        every.index(f'href="/runs/run-{number}"') for number in (1, 2, 3)
    )
    assert "3 of 3 runs" in body(every)
    for query, shown in [
        ("racer=LOVELACE", "1 of 3"),
        ("flagged=1", "2 of 3"),
        ("state=official", "0 of 3"),
        ("state=finished&race=race-1", "3 of 3"),
        ("race=another", "0 of 3"),
        ("state=nonsense&racer=%3Cscript%3E", "0 of 3"),
    ]:
        assert f"{shown} runs" in body(pages.get(f"/runs?{query}").text), query
    assert "<script>" not in pages.get("/runs?racer=%3Cscript%3E").text


def test_where_the_cars_own_recording_is(rig: ArchiveRig) -> None:
    page = rig.station.run_page("run-1")
    assert page is not None
    assert run_sheet(page).black_box == ""  # a person started the car: it may have no computer
    led = run_sheet(replace(page, summary=replace(page.summary, by_hand=False))).black_box
    assert led.startswith("What car-1 saw and did is on the car itself")
    assert re.search(r"after 2\d{7}T\d{6}Z\.", led)


def test_a_run_of_another_day_has_its_day() -> None:
    noon = 1_790_000_000 * S
    runs = [RunSummary(f"run-{n}", "r", "R", "Ada", "car-1", 1, "finished", noon - n * 36_000 * S) for n in (0, 1, 9)]
    at = [line.at for line in run_list(runs, RunFilter()).lines]
    assert re.fullmatch(r"[0-9:]{8}", at[0])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d [0-9:]{8}", at[2])


def test_a_restored_lap_says_that_it_was_void(pages: Client) -> None:
    rows = pages.get("/runs/run-1").text.split('<tr id="run-lap-')
    assert ["restored by an official" in row.partition("</tr>")[0] for row in rows[1:]] == [True, *[False] * 4]


def test_officials_see_rulings_and_the_public_does_not(pages: Client, public: Client) -> None:
    official = pages.get("/runs/run-1").text
    assert "Void lap 1" in official
    assert "Ruth on tablet 2" in body(official)
    assert 'data-ruling="void_lap"' in official
    reduced = public.get("/runs/run-1").text
    assert "9.871" in reduced
    for secret in ("tablet 2", "data-ruling", "evidence.zip", "Ruth"):
        assert secret not in reduced, secret


def test_a_run_as_json_with_what_each_may_see(pages: Client, public: Client) -> None:
    document = pages.get("/api/v1/runs/run-2").json()
    assert [lap["lap_ns"] for lap in document["laps"]][3] == 6_156_000_000
    assert document["proposals"][0]["witness"] == "a hand time"
    reduced = public.get("/api/v1/runs/run-2").json()
    assert {"rulings", "model_sha256", "proposals"}.isdisjoint(reduced)
    assert [run["run_id"] for run in pages.get("/api/v1/runs").json()["runs"]] == ["run-3", "run-2", "run-1"]


MISSING = ("/runs/run-9", "/api/v1/runs/run-9", "/runs/%2e%2e%2fetc", "/runs/run-9/evidence.zip")


@pytest.mark.parametrize("path", MISSING)
def test_a_run_that_is_not_there_is_said(pages: Client, path: str) -> None:
    assert pages.get(path).status_code == 404


def preview(pages: Client, **command: Any) -> Any:
    return pages.post("/api/v1/preview", {"author": "Ruth", **command})


def test_a_preview_says_before_and_after_and_does_nothing(rig: ArchiveRig, pages: Client) -> None:
    head = rig.station.journal.head
    effect = preview(pages, command="add_penalty", number=3, seconds="1,5", run_id="run-1").json()["effect"]
    assert (effect["before"]["lap_ms"], effect["after"]["lap_ms"]) == (9_702, 11_202)
    assert (effect["before"]["place"], effect["after"]["place"]) == (2, 3)
    assert rig.station.journal.head == head


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        ({"command": "void_lap", "number": 99, "run_id": "run-1"}, 409, "has no lap 99"),
        ({"command": "void_lap", "number": 1, "run_id": "run-9"}, 409, "There is no run 'run-9'"),
        ({"command": "stop_all"}, 409, "Only rulings on a run"),
        ({"command": "void_lap", "undoes": 3, "number": 1}, 400, "has no 'undoes'"),
        ({"command": "nonsense"}, 400, "Unknown command"),
    ],
)
def test_a_preview_of_what_would_be_refused_says_why(
    pages: Client, command: dict[str, Any], status: int, sentence: str
) -> None:
    answer = preview(pages, **command)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


def test_previews_and_evidence_are_the_officials(pages: Client, public: Client) -> None:
    assert preview(public, command="void_lap", number=1, run_id="run-1").status_code == 401
    assert public.get("/runs/run-1/evidence.zip").status_code == 401
    assert pages.post("/api/v1/preview", {}, origin="http://evil.example").status_code == 403
    assert pages.post("/api/v1/preview", b"\xff").status_code == 400
    assert pages.post("/api/v1/preview", b" " * 9_000).status_code == 413


def test_the_evidence_is_a_bundle_that_agrees_with_the_page(pages: Client) -> None:
    answer = pages.get("/runs/run-1/evidence.zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="run-1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert json.loads(bundle.read("run.json"))["result"]["score_ms"] == 9_733
        assert b"VoidLap" in bundle.read("rulings.csv")


def test_my_last_acts_and_undo(pages: Client) -> None:
    for command in (
        {"command": "add_penalty", "number": 3, "seconds": 1.0, "run_id": "run-3", "reason": "late"},
        {"command": "undo"},
    ):
        assert pages.post("/api/v1/commands", command).status_code == 200
    acts = pages.get("/api/v1/acts").json()["acts"]
    assert [(act["words"], act["undone"]) for act in acts] == [("Penalty +1 s in lap 3", True)]
    refused = pages.post("/api/v1/commands", {"command": "undo"})
    assert (refused.status_code, "nothing that could be undone" in refused.json()["error"]) == (409, True)


def test_a_very_long_lap_and_a_name_in_another_script_are_whole(pages: Client) -> None:
    text = pages.get("/runs/run-3").text
    assert NAMES[3] in text
    assert "11:02.500" in text
    assert "did the car stand still" in text
    assert "A crossing came 1.300 s after lap 2 ended, too soon to end a lap." in text


def given(client: Client, **command: str) -> requests.Response:
    return client.post("/api/v1/commands", {"run_id": "run-1", **command})


def test_results_are_opened_again_with_ones_own_pin_and_a_second_official_with_his(rig: ArchiveRig) -> None:
    for served in serve(rig.station):  # type: ignore[arg-type]
        session_of(served.access, "Sam", Role.REFEREE)
        give = functools.partial(given, Client(served.url))
        assert give(command="official", confirmed_by="Sam", second_pin="wrong").status_code == 403
        assert give(command="official", confirmed_by="operator", second_pin=PASSPHRASE).status_code == 403
        assert give(command="official", confirmed_by="Sam", second_pin=PASSPHRASE).status_code == 200
        opened = {"command": "reopen_results", "reason": "a protest"}
        assert give(**opened).status_code == 403
        assert give(**opened, pin=PASSPHRASE).status_code == 200
