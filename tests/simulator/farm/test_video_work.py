"""The video of a run: a racer asks, a farm's child makes it from the trace, the page shows it; and what goes wrong."""

import base64
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pytest

from leaderboard.accounts.keys import ApiKeys
from leaderboard.core.access import ADMIN, Caller
from leaderboard.core.errors import Gone, NotAllowed, NotHere
from leaderboard.core.evaluations.videos import CLAIM_NS, MAX_ATTEMPTS
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.replays.videos import KEPT_NS, RunVideos
from leaderboard.store.evaluations import condition_rows, evaluation_rows, trace_rows
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.submissions import submission_rows
from shared.access.pass_code_hashing import Argon2idHasher
from shared.conditions import Conditions
from shared.errors import BadInput
from shared.protocol.results import Evidence, encode_result
from shared.protocol.videos import VideoWork, decode_work, encode_work
from shared.traces.encoding import encode, trace_sha256
from shared.traces.trace import TraceFrames
from shared.tracks.shipped import shipped_outline
from shared.web.keyed_calls import KeyedCalls, ServerAnswer
from simulator.farm.server_calls import FarmServer
from simulator.farm.videos.maker import ASK_EACH_S, CHILD, VideoMaker
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.in_process import FormBrowser, fields
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.shared.traces.driven import driven_on
from tests.shared.web.test_error_pages import TestClient

NOW = 1_800_000_000_000_000_000
FARM = Caller(key_id="farm-1", key_scopes=frozenset({"farm"}))
OTHER_FARM = Caller(key_id="farm-2", key_scopes=frozenset({"farm"}))
MP4 = b"\x00\x00\x00\x18ftypisom"
LAP = driven_on(shipped_outline("reinvent_base"), 1)
TRACE = replace(LAP, events=(), frames=TraceFrames(*(values[:8] for _, values in LAP.frames.columns())))


class InProcess(KeyedCalls):
    """A farm's calls that reach the app without a network."""

    def __init__(self, league: LeagueApp, key: str) -> None:
        super().__init__("http://127.0.0.1:9", key)
        self._app, self._headers = league.app, {"authorization": f"Bearer {key}"}

    def send(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
    ) -> ServerAnswer:
        assert body is None or isinstance(body, bytes)
        sent = self._headers | dict(headers or {})
        answer = TestClient(self._app).request(method, path, sent, "192.0.2.9", body or b"")
        return ServerAnswer(answer.status_code, {}, answer.content)


@dataclass
class Videos:
    """A league in which ben has runs whose traces are kept; its service of videos, and ben's browser."""

    league: LeagueApp
    videos: RunVideos
    caller: Caller
    ben: FormBrowser

    def run(self, submission_id: str, kept: bool = True) -> None:
        """A run of ben's."""
        trace = replace(TRACE, length_mm=TRACE.length_mm + int(submission_id[1:]))
        digest, conditions = trace_sha256(trace), Conditions()
        evidence = Evidence("farm", digest, 1, 1, 0, {})
        one = sample_races.result(
            f"submission-{submission_id}", "ben", (9000,) * 3, race_id="virtual", kind="virtual", evidence=evidence
        )
        assert self.league.app.state.services.board.apply(one.webhook_id, encode_result(one), NOW).status == 201
        made = ModelSubmission(
            submission_id, "virtual", "account-ben", "ben", "00" * 32, "apex", "", "scored", "", NOW, NOW, NOW
        )
        run = Evaluation(f"run-{submission_id}", submission_id, 1, 1, "virtual", "", 5, conditions.sha256, NOW)
        with self.league.store.write() as db:
            submission_rows.add(db, made, made.account_id)
            condition_rows.keep_conditions(db, conditions, NOW)
            evaluation_rows.add(db, [replace(run, state="done", trace_sha256=digest)])
            if kept:
                trace_rows.keep(db, digest, encode(trace), NOW)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Videos]:
    with league_app(tmp_path_factory.mktemp("videos"), Argon2idHasher(memory_kib=8, passes=1)) as league:
        services = league.app.state.services
        services.board.create_race(sample_races.race("virtual", venue="virtual", track="re:Invent 2018"), 1)
        account = signed_in.account(league.store, "ben")
        ben = signed_in.browser(league.app, league.store, account, NOW)
        yield Videos(league, services.videos, Caller(account, "ben", "Ben"), ben)


def test_a_racer_asks_a_farm_makes_it_and_the_page_shows_it(videos: Videos, tmp_path: Path) -> None:
    videos.run("s1")
    page, file = "/races/virtual/submissions/s1/video", "/api/v1/submissions/s1/video"
    assert "Make the video" in videos.ben.get(page).text
    assert videos.ben.submit(page).status_code == 303
    assert "waits for a farm that has nothing else to do" in videos.ben.get(page).text
    asked = videos.ben.get(file, accept="application/json")
    assert (asked.status_code, fields(asked)["state"]) == (202, "waiting")
    key = ApiKeys(videos.league.store).create(ADMIN, "Farm", {"farm"}, (), None, NOW).key
    server = FarmServer("http://127.0.0.1:9", key, tmp_path)
    server._calls = InProcess(videos.league, key)
    said = list[str]()
    maker = VideoMaker(server, said.append, lambda: 0.0)
    assert not maker.look(idle=False), "runs come first"
    assert maker.look(idle=True)
    assert fields(videos.ben.get(file, accept="application/json"))["state"] == "running"
    assert maker._made is not None
    assert maker._made._child.wait() == 0
    assert not maker.look(idle=True), "it is brought, and nothing else waits"
    assert said == ["A video was made."]
    made = videos.ben.get(file, accept="video/mp4")
    assert (made.status_code, made.content[4:8]) == (200, b"ftyp")
    assert b"vp09" in made.content
    part = videos.ben.get(file, range="bytes=4-7")
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert f'src="{file}"' in videos.ben.get(page).text
    assert videos.ben.get("/races/cup/submissions/s1/video").status_code == 404
    assert videos.ben.get("/races/virtual/submissions/none/video").status_code == 404


def test_a_farm_that_fails_or_dies_is_followed_by_another_three_times(videos: Videos) -> None:
    videos.run("s2")
    service, now = videos.videos, NOW
    assert service.ask(videos.caller, "s2", now).state == "waiting"
    for attempt in range(1, MAX_ATTEMPTS + 1):
        work = _claimed(service, now)
        assert base64.b64decode(work.trace) == encode(replace(TRACE, length_mm=TRACE.length_mm + 2))
        assert (work.seed, work.conditions) == (5, Conditions())
        assert service.claim(FARM, now) is None, "it is being made"
        with pytest.raises(Gone):
            service.fail(OTHER_FARM, work.claim, "not mine", now)
        if attempt == 2:
            service.fail(FARM, work.claim, "No room is left.", now)
            with pytest.raises(Gone):
                service.bring(FARM, work.claim, MP4, now)
        else:
            now += CLAIM_NS
    assert service.claim(FARM, now) is None
    found = service.found(videos.caller, "s2", now)
    assert found is not None
    assert (found.state, found.reason) == ("failed", "The farm was not heard of any more.")
    assert "could not be made" in videos.ben.get("/races/virtual/submissions/s2/video").text
    assert service.ask(videos.caller, "s2", now + 1).state == "failed"
    assert service.ask(videos.caller, "s2", now + CLAIM_NS).state == "waiting", "later it is tried again"
    work = _claimed(service, now + CLAIM_NS)
    with pytest.raises(BadInput, match="an MP4 is expected"):
        service.bring(FARM, work.claim, b"<html>", now)
    service.bring(FARM, work.claim, MP4, now)
    videos.run("s3")
    service.ask(videos.caller, "s3", now + KEPT_NS + CLAIM_NS)
    assert service.found(videos.caller, "s2", now) is None, "after a week it is dropped"


def _claimed(service: RunVideos, now: int) -> VideoWork:
    work = service.claim(FARM, now)
    assert work is not None
    return work


def test_who_may_ask_and_what_has_no_video(videos: Videos) -> None:
    videos.run("s4", kept=False)
    with pytest.raises(NotHere, match="no trace of this submission"):
        videos.videos.ask(videos.caller, "s4", NOW)
    with pytest.raises(NotHere, match="no submission"):
        videos.videos.ask(Caller("account-anna", "anna", "Anna"), "s4", NOW)
    with pytest.raises(NotAllowed):
        videos.videos.claim(videos.caller, NOW)


class Answers(FarmServer):
    """Gives out one piece of work, and remembers what is said of it."""

    def __init__(self, work: bytes) -> None:
        self.work, self.said = [work], list[tuple[str, bytes]]()

    def video(self) -> VideoWork | None:
        return decode_work(self.work.pop()) if self.work else None

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self.said.append((path, body or b""))
        return b""


@pytest.mark.parametrize(
    ("command", "wait_s", "sentence"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('It broke.')"), 0.0, b"It broke."),
        ((sys.executable, "-c", "import sys; sys.exit(3)"), 0.0, b"ended with code 3"),
        ((sys.executable, "-c", "import signal; signal.pause()"), 901.0, b"took too long"),
        (CHILD, 0.0, b"of another track"),
    ],
    ids=["sentence", "code", "late", "trace"],
)
def test_a_child_that_fails_is_said_to_have_failed(command: tuple[str, ...], wait_s: float, sentence: bytes) -> None:
    packed = base64.b64encode(encode(replace(TRACE, direction="clockwise"))).decode()
    work = encode_work(VideoWork("c1", packed, 1, Conditions(), 900.0))
    assert decode_work(work).conditions == Conditions()
    server, clock = Answers(work), [0.0]
    maker = VideoMaker(server, lambda _sentence: None, lambda: clock[0], command)
    assert maker.look(idle=True)
    assert maker._made is not None
    child = maker._made._child
    if not wait_s:
        child.wait()
    clock[0] += wait_s
    assert not maker.look(idle=False)
    ((path, body),) = server.said
    assert path == "/videos/c1/fail"
    assert sentence in body
    assert child.poll() is not None
    clock[0] += ASK_EACH_S
    assert not maker.look(idle=True), "nothing else waits"
    maker.close()
