"""2,000 submissions of 40 racers, of whom one sends half, while leaderboard, farms and their children are killed.

Real processes: the leaderboard over SQLite or PostgreSQL, farms with the product's node, racers who call the API. Only
the drive is cheap (cheap_child.py), or real: then farms are `raceday farm`, over children or over a Ray cluster of two
nodes of which one is killed as well, and all models are the demo's.
First nothing is killed: how long the others wait alone, and beside the one who sends half. `./dev bench submissions`.
"""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import sqlalchemy as sa

from leaderboard.accounts.keys import ApiKeys
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN, Caller
from leaderboard.core.submissions.states import IN_WORK
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.store.database import open_readers
from leaderboard.store.tables import ENTRIES, SUBMISSION_STATES, SUBMISSIONS
from raceday.submitting.api import LeaderboardApi
from shared.units import NS_PER_S
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.evaluations.virtual_league import RUNS, VirtualLeague, check_campaign
from tests.leaderboard.submissions.racers import sha256
from tests.simulator.farm.ray_cluster import TwoNodes, two_nodes
from tests.system.durability.cheap_child import model_file
from tests.system.durability.killed_processes import KilledProcess, again, demo_archive, free_port

ROOT = pathlib.Path(__file__).parents[3]
KINDS = ("fast", "fast", "fast", "fast", "fast", "crashing", "hostile", "doomed")
FLOODER = "racer-0"
CLAIM_S = 10
GIVE_UP_S = 3600.0
Tell = Callable[[str], None]
_CONFIG = """
[store]
{store}
[farm]
claim_s = {claim_s}
[submissions]
in_work_per_racer = 10000
"""


@dataclass(frozen=True, slots=True)
class CampaignSize:
    """How much of everything. `quiet`: submissions of the others alone, and as many beside the flooder."""

    submissions: int = 2000
    racers: int = 40
    quiet: int = 200
    kills: int = 20
    farms: int = 3
    slots: int = 4
    every_s: float = 0.25
    drive: Literal["cheap", "children", "ray"] = "cheap"

    @property
    def is_real(self) -> bool:
        return self.drive != "cheap"


@dataclass(slots=True)
class SubmissionTally:
    """What came of a campaign. `others_p95_s`: from submitted to settled, alone and beside the flooder."""

    submissions: int = 0
    states: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    interrupted: int = 0
    others_p95_s: tuple[float, float] = (0.0, 0.0)
    seconds: float = 0.0

    @property
    def flood_ratio(self) -> float:
        return self.others_p95_s[1] / self.others_p95_s[0]


class SubmissionCampaign:
    """One campaign in a folder. `store`: of the leaderboard's config, `path = ...` or `url = ...`."""

    def __init__(self, folder: pathlib.Path, store: str, size: CampaignSize, seed: int, tell: Tell) -> None:
        self._folder, self._store_line, self._size, self._tell = folder, store, size, tell
        self._rng, self.tally = random.Random(seed), SubmissionTally(size.submissions)
        self._kinds: dict[str, str] = {}
        self._phases: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        place = json.loads(store.partition("=")[2])
        self._place: str = place if "://" in place else str(folder / place)
        self._nodes: TwoNodes | None = None
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._farm_key = ""
        self._apis: dict[str, LeaderboardApi] = {}
        self._models: dict[str, dict[str, str]] = {}
        with contextlib.closing(open_board(self._place)) as board:
            self._make_league(board)
        self._readers = open_readers(self._place)

    def run(self) -> SubmissionTally:
        """All of it. Raises AssertionError for a submission that was lost, doubled, or left without a sentence."""
        began = time.monotonic()
        with contextlib.ExitStack() as held:
            if self._size.drive == "ray":
                self._nodes = held.enter_context(two_nodes(self._folder))
            server = held.enter_context(contextlib.closing(KilledProcess(self._start_server)))
            self._upload_all()
            farms = [self._start_farm(number) for number in range(self._size.farms)]
            killed = [held.enter_context(contextlib.closing(KilledProcess(farm))) for farm in farms]
            others = [f"racer-{number}" for number in range(1, self._size.racers)]
            self._submit_all("first", others[: self._size.farms])
            self._wait_until_settled(self._phases["first"])  # the farms have driven their canaries
            self._submit_all("alone", [others[n % len(others)] for n in range(self._size.quiet)])
            self._wait_until_settled(self._phases["alone"])
            flood = threading.Thread(target=self._submit_all, args=("flood", [FLOODER] * (self._size.submissions // 4)))
            flood.start()
            self._submit_all("beside", [others[n % len(others)] for n in range(self._size.quiet)])
            self._wait_until_settled(self._phases["beside"])
            self._kill_all(server, killed, others)
            flood.join()
            self._wait_until_settled(list(self._kinds))
        self._check()
        self.tally.seconds = time.monotonic() - began
        return self.tally

    def _kill_all(self, server: KilledProcess, farms: list[KilledProcess], others: list[str]) -> None:
        """The rest of the submissions, and meanwhile the kills: by what was sent, so that all get as far as that."""
        half = self._size.submissions // 2
        rest = [FLOODER] * (half - half // 2)
        rest += [others[n % len(others)] for n in range(half - 2 * self._size.quiet - self._size.farms)]
        self._rng.shuffle(rest)
        sending = threading.Thread(target=self._submit_all, args=("rest", rest))
        children = "child" if self._nodes is None else "node"
        plan = ["server", "farm", children, children] * self._size.kills
        self._rng.shuffle(plan)
        before = len(self._kinds)
        sending.start()
        for number, what in enumerate(plan):
            due = before + len(rest) * number // len(plan)
            self._wait_until_sent(due)
            if what == "server":
                server.kill()
            elif what == "farm":
                self._rng.choice(farms).kill()
            elif self._nodes is not None:
                self._nodes.kill_second()
                self._nodes.add()
            else:
                self._wait(lambda: self._rng.choice(farms).kill_child(self._rng), "no farm has a child")
            self.tally.kills[what] += 1
            self._say()
        sending.join()

    def _make_league(self, board: LeaderboardService) -> None:
        self._farm_key = ApiKeys(board.store).create(ADMIN, "Farm", {"farm"}, (), None, time.time_ns()).key
        names = [f"racer-{number}" for number in range(self._size.racers)]
        owners = {name: signed_in.account(board.store, name) for name in names}
        runs = {"solo": 1} if self._size.is_real else RUNS
        for race_id in RUNS:
            race = sample_races.race(race_id, venue="virtual", track="reinvent_base", in_work_per_racer=10_000)
            board.create_race(race, time.time_ns())
            conditions = RaceConditions(board.store, lambda _race: None)
            document = {"runs": runs.get(race_id, 1)} | (
                {"laps": 3, "profile": "physical"} if self._size.is_real else {}
            )
            conditions.set(ADMIN, race_id, json.dumps(document).encode(), time.time_ns())
            with board.store.write() as db:
                for name, owner in owners.items():
                    entry = {"race_id": race_id, "racer": name, "name": name, "entered_utc_ns": 1, "account_id": owner}
                    db.execute(sa.insert(ENTRIES), entry)
        keys = ApiKeys(board.store)
        for name, owner in owners.items():
            key = keys.create(Caller(owner, name), "Terminal", {"submissions:write"}, (), None, time.time_ns())
            self._apis[name] = LeaderboardApi(self.url, key.key)

    def _start_server(self) -> "subprocess.Popen[bytes]":
        path = sample_races.write_config(self._folder, _CONFIG.format(store=self._store_line, claim_s=CLAIM_S))
        path.write_text(path.read_text().replace("port = 0", f"port = {self._port}"))
        return self._start("server", [*sample_races.command("--config", str(path))])

    def _start_farm(self, number: int) -> Callable[[], "subprocess.Popen[bytes]"]:
        cheap = ["-m", "tests.system.durability.cheap_farm", self.url, f"node-{number}", str(self._size.slots)]
        real = ["-m", "raceday", "farm", "--server", self.url, "--node", f"node-{number}"]
        words = [*real, "--jobs", str(self._size.slots), "--no-live"] if self._size.is_real else cheap
        if self._nodes is not None:
            words = [*real, "--engine", "ray", "--ray-address", self._nodes.address, "--no-live"]
        return lambda: self._start(f"farm-{number}", [sys.executable, *words])

    def _start(self, name: str, words: list[str]) -> "subprocess.Popen[bytes]":
        with (self._folder / f"{name}.log").open("ab") as log:
            environment = os.environ | {"RACEDAY_KEY": self._farm_key, "PYTHONPATH": str(ROOT)}
            return subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, env=environment)

    def _upload_all(self) -> None:
        real = demo_archive(self._folder) if self._size.is_real else b""
        for name in self._apis:
            kinds = {"fast": real} if self._size.is_real else {kind: model_file(name, kind) for kind in set(KINDS)}
            self._models[name] = {kind: self._upload(name, content) for kind, content in kinds.items()}

    def _upload(self, name: str, content: bytes) -> str:
        api, digest = self._apis[name], sha256(content)
        document = {"sha256": digest, "size_bytes": len(content), "name": "Model"}
        begun = again(lambda: api.call("POST", "/models", document)).document
        if begun["model"] is None:
            headers = {"upload-offset": "0"}
            again(lambda: api.call("PATCH", f"/uploads/{begun['upload_id']}", body=content, headers=headers))
        return digest

    def _submit_all(self, phase: str, racers: list[str]) -> None:
        drawn = random.Random(f"{phase} {len(racers)}")
        for number, racer in enumerate(racers):
            kind = "fast" if self._size.is_real else drawn.choice(KINDS)
            race_id = drawn.choice(("cup", "solo", "solo", "solo"))
            made = self._submit(racer, race_id, self._models[racer][kind], f"{phase}-{number}")
            with self._lock:
                self._kinds[made] = kind
                self._phases.setdefault(phase, []).append(made)
            if phase != "flood":
                threading.Event().wait(self._size.every_s)

    def _submit(self, racer: str, race_id: str, digest: str, request_id: str) -> str:
        """Submit, as often as it takes: the same request makes no second one. The submission's id."""
        document, headers = {"model_sha256": digest}, {"idempotency-key": request_id}
        path, api = f"/races/{race_id}/submissions", self._apis[racer]
        made = again(lambda: api.call("POST", path, document, headers=headers)).document
        submission_id: str = made["submission_id"]
        return submission_id

    def _wait_until_settled(self, ids: list[str]) -> None:
        def settled() -> bool:
            states = self._states()
            return not any(states[each] in IN_WORK for each in ids)

        self._wait(settled, "the submissions are not settled")
        self._say()

    def _wait_until_sent(self, count: int) -> None:
        self._wait(lambda: len(self._kinds) >= count, "the racers send nothing")

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        until_s = time.monotonic() + GIVE_UP_S
        while not condition():
            assert time.monotonic() < until_s, otherwise
            threading.Event().wait(0.2)

    def _say(self) -> None:
        states = Counter(self._states().values())
        self._tell(f"{time.strftime('%H:%M:%S')} {dict(states)} killed {dict(self.tally.kills)}")

    def _states(self) -> dict[str, str]:
        with self._readers.read() as db:
            return dict(db.execute(sa.select(SUBMISSIONS.c.submission_id, SUBMISSIONS.c.state)).all())

    def _check(self) -> None:
        with contextlib.closing(open_board(self._place)) as board:
            check_campaign(VirtualLeague(board.store, self._folder / "unused"), self._kinds)
        self.tally.states = Counter(self._states().values())
        doomed = sum(kind == "doomed" for kind in self._kinds.values())
        self.tally.interrupted = self.tally.states["failed"] - doomed
        assert len(self._kinds) == self._size.submissions
        self.tally.others_p95_s = (self._p95_s("alone"), self._p95_s("beside"))

    def _p95_s(self, phase: str) -> float:
        """From submitted to settled. Models that kill their child are tried three times, so they are not counted."""
        ids = {each for each in self._phases[phase] if self._kinds[each] != "doomed"}
        with self._readers.read() as db:
            sent = dict(db.execute(sa.select(SUBMISSIONS.c.submission_id, SUBMISSIONS.c.submitted_utc_ns)).all())
            steps = db.execute(sa.select(SUBMISSION_STATES)).all()
        done = {row.submission_id: row.at_utc_ns for row in steps if row.state not in IN_WORK}
        waits = sorted((done[each] - sent[each]) / NS_PER_S for each in ids)
        return waits[len(waits) * 95 // 100]

    def close(self) -> None:
        self._readers.close()


@contextlib.contextmanager
def submission_campaign(
    folder: pathlib.Path, store: str, size: CampaignSize, seed: int = 1, tell: Tell = lambda _line: None
) -> Iterator[SubmissionCampaign]:
    """A campaign, whose store is closed with the block. `tell` is told how far it is."""
    made = SubmissionCampaign(folder, store, size, seed, tell)
    try:
        yield made
    finally:
        made.close()
