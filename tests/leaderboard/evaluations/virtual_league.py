"""A league of virtual races over a store, and farms without a simulator that claim, drive, fail and die."""

import dataclasses
import hashlib
import pathlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.core.access import ADMIN, Caller
from leaderboard.core.errors import Gone
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.states import IN_WORK
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.interruptions import set_aside
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.evaluations.service import Evaluations
from leaderboard.store import league_rows, race_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import node_rows
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.submissions.model_rows import StoredArchive
from leaderboard.store.tables import EVALUATIONS, RESULTS, SUBMISSION_STATES, SUBMISSIONS
from leaderboard.submissions.archives import ModelArchives
from leaderboard.submissions.model_files import ModelFiles
from shared.conditions import ENGINE
from shared.protocol.farm import (
    ClaimAnswer,
    ClaimExtension,
    ClaimRequest,
    PreparationItem,
    PreparationReport,
    RunFailure,
    RunReport,
    WorkItem,
    encode,
)
from shared.rules.ranking import RunLap
from shared.units import NS_PER_MS, NS_PER_S
from tests.leaderboard import sample_races

NOW = 1_800_000_000 * NS_PER_S
CLAIM_S = 60.0
CANARY = "ca" * 32


def farm_key(name: str = "farm-1", *races: str) -> Caller:
    """What a program with this farm's key is."""
    return Caller(key_id=name, key_scopes=frozenset({"farm"}), key_races=frozenset(races))


def virtual(race_id: str = "cup", **changes: Any) -> RaceRecord:
    """A virtual race that is open."""
    return sample_races.race(race_id, **({"venue": "virtual", "track": "reinvent_base"} | changes))


@dataclass
class VirtualLeague:
    """The services of evaluations over one store, on a clock that stands until it is moved."""

    store: Store
    folder: pathlib.Path
    now_utc_ns: int = NOW
    secret: str = "secret of the tests"
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board = LeaderboardService(self.store)
        self.conditions = RaceConditions(self.store, self.told.append)
        archives = ModelArchives(self.store, ModelFiles(self.folder))
        self.evaluations = Evaluations(self.store, archives, self.told.append, self.secret, CLAIM_S)

    def restart(self) -> "VirtualLeague":
        """As after the death of the process: only what is stored is left."""
        return VirtualLeague(self.store, self.folder, self.now_utc_ns, self.secret)

    def open_race(self, race: RaceRecord) -> None:
        with self.store.write() as db:
            race_rows.add_race(db, race, 1)
            league_rows.add_edition(db, race, 1, "system")

    def submit(
        self, racer: str, model: str = "fast", race_id: str = "cup", *, archived: bool = False, checkpoint: str = ""
    ) -> str:
        """A submission of this racer that waits; returns its id. `archived`: its archive is stored and unread."""
        with self.store.write() as db:
            count = db.execute(sa.select(sa.func.count()).select_from(SUBMISSIONS)).scalar_one()
            if archived:
                stored = StoredArchive(model_sha256(f"{racer} {count}", model), 1000, "", 0, self.now_utc_ns)
                model_rows.keep_archive(db, stored)
            made = ModelSubmission(
                submission_id=f"s{count:05}",
                race_id=race_id,
                account_id=f"account-{racer}",
                racer=racer,
                model_sha256=model_sha256(f"{racer} {count}", model),
                model_name=model,
                checkpoint=checkpoint,
                state="queued",
                sentence="It waits.",
                state_utc_ns=self.now_utc_ns,
                submitted_utc_ns=self.now_utc_ns,
                queued_utc_ns=self.now_utc_ns + count,
            )
            submission_rows.add(db, made, made.account_id)
        return made.submission_id

    def submission(self, submission_id: str) -> ModelSubmission:
        with self.store.read() as db:
            return submission_rows.get(db, submission_id)

    def states(self) -> dict[str, str]:
        """The state of each submission."""
        with self.store.read() as db:
            return dict(db.execute(sa.select(SUBMISSIONS.c.submission_id, SUBMISSIONS.c.state)).all())

    def standing(self, race_id: str = "cup") -> list[tuple[str, int]]:
        return [(row.placed.racer, row.placed.score_ms) for row in self.board.snapshot(race_id).rows]

    def set_aside(self, name: str) -> None:
        """As if the others had found out that the node of this name drives wrongly."""
        with self.store.write() as db:
            [node] = [each for each in node_rows.every(db) if each.name == name]
            set_aside(db, node, self.now_utc_ns)

    def pass_s(self, seconds: float) -> None:
        self.now_utc_ns += round(seconds * NS_PER_S)

    def rows(self, table: sa.Table) -> list[Any]:
        with self.store.read() as db:
            return list(db.execute(sa.select(table)))


_KINDS = ("fast", "crashing", "hostile", "unlucky", "doomed")


def model_sha256(name: str, kind: str) -> str:
    """The hash of a model that drives so; the farm knows the kind by its last digit."""
    return hashlib.sha256(f"{name} {kind}".encode()).hexdigest()[:-1] + str(_KINDS.index(kind))


def laps_of(item: WorkItem, fault: str = "") -> tuple[RunLap, ...]:
    """The laps of this model by this seed and these conditions, on a node with this fault."""
    drawn = random.Random(f"{item.model_sha256} {item.seed + (fault == 'another seed')} {item.conditions_sha256}")
    at_ns, laps = 0, []
    for number in range(1, item.conditions.laps + 1):
        lap_ns = drawn.randrange(8000, 12000) * NS_PER_MS - (fault == "times shortened") * 100 * NS_PER_MS
        at_ns += lap_ns
        laps.append(RunLap(number, lap_ns, at_ns, off_tracks=drawn.randrange(2)))
    if item.model_sha256.endswith("1"):
        return tuple(laps[:1])
    return tuple(laps)


def report_of(item: WorkItem, fault: str = "") -> RunReport:
    """What a node with this fault reports of the run."""
    laps = laps_of(item, fault)
    trace = hashlib.sha256(repr(laps).encode()).hexdigest()
    return RunReport(laps, trace, item.conditions_sha256, cost_ms=1500)


@dataclass
class PracticeFarm:
    """A node of a farm. `fault`: what it does wrongly; `log`: what it was answered."""

    league: Callable[[], VirtualLeague]
    node: str = "node-1"
    key: Caller = field(default_factory=farm_key)
    fault: str = ""
    canary_sha256: str = CANARY
    engine: str = ENGINE
    work: list[WorkItem | PreparationItem] = field(default_factory=list)

    def claim(self, wanted: int = 1, **changes: Any) -> ClaimAnswer:
        asked = ClaimRequest(self.node, self.engine, 4, wanted, self.canary_sha256)
        league = self.league()
        answer = league.evaluations.claim(self.key, dataclasses.replace(asked, **changes), league.now_utc_ns)
        self.work += answer.work + answer.preparations
        return answer

    def extend(self, item: WorkItem | PreparationItem) -> bytes:
        league = self.league()
        return league.evaluations.extend(self.key, item.claim, ClaimExtension(), league.now_utc_ns)

    def report(self, item: WorkItem | PreparationItem, report: RunReport | None = None) -> bytes:
        if report is None:
            assert isinstance(item, WorkItem), "an archive is prepared"
            report = report_of(item, self.fault)
        league, said = self.league(), report
        return league.evaluations.report(self.key, item.claim, encode(said), said, league.now_utc_ns)

    def prepared(self, item: WorkItem | PreparationItem, report: PreparationReport) -> bytes:
        league = self.league()
        return league.evaluations.prepared(self.key, item.claim, encode(report), report, league.now_utc_ns)

    def fail(self, item: WorkItem | PreparationItem, failure: RunFailure) -> bytes:
        league = self.league()
        return league.evaluations.fail(self.key, item.claim, encode(failure), failure, league.now_utc_ns)

    def drive(self, item: WorkItem | PreparationItem) -> bytes:
        """Say of the run, or of the archive, what comes of it, as the kind of its model has it."""
        kind = _KINDS[int(item.model_sha256[-1])]
        if kind == "hostile":
            return self.fail(item, RunFailure("model", "The graph uses 'While', which is not run."))
        if kind == "doomed" or (kind == "unlucky" and item.attempt == 1):
            return self.fail(item, RunFailure("farm", "The worker had no memory left."))
        if isinstance(item, PreparationItem):
            return self.prepared(item, PreparationReport(1, item.conditions_sha256, 500))
        return self.report(item)

    def drive_all(self) -> None:
        """Drive what it has and whatever it can get, until nothing is left for it."""
        while self.work or self._claims():
            said(self, self.work.pop(0))

    def _claims(self) -> bool:
        answer = self.claim(8)
        return bool(answer.work or answer.preparations)


RUNS = {"cup": 3, "solo": 1}


def said(farm: PracticeFarm, item: WorkItem | PreparationItem) -> bytes:
    """What the farm is answered about a run; b"" if the claim is over, which is told and changes nothing."""
    try:
        return farm.drive(item)
    except Gone:
        return b""


class Campaign:
    """Farms and server that die at random, messages that come twice and too late. `kinds`: of each submission."""

    def __init__(self, league: VirtualLeague, seed: int) -> None:
        self._drawn, self.league, self.kinds = random.Random(seed), league, dict[str, str]()
        names = [(f"node-{n}", farm_key(f"farm-{n % 2}")) for n in range(4)]
        self._farms = [PracticeFarm(lambda: self.league, name, key) for name, key in names]
        self._late: list[tuple[PracticeFarm, WorkItem | PreparationItem]] = []
        for race_id, runs in RUNS.items():
            league.open_race(virtual(race_id))
            league.conditions.set(ADMIN, race_id, b'{"runs": %d}' % runs, league.now_utc_ns)

    def run(self, submissions: int, racers: int) -> dict[str, str]:
        """Until so many submissions are settled; the kind of each."""
        while submissions or any(state in IN_WORK for state in self.league.states().values()):
            brought = min(submissions, self._drawn.randrange(8))
            submissions -= brought
            for _ in range(brought):
                self._submit(racers)
            for farm in self._farms:
                self._drive(farm)
            if self._late and self._drawn.random() < 0.5:
                said(*self._late.pop(self._drawn.randrange(len(self._late))))
            if self._drawn.random() < 0.1:
                self.league = self.league.restart()
            self.league.pass_s(self._drawn.choice((1, 5, CLAIM_S + 1)))
        return self.kinds

    def _submit(self, racers: int) -> None:
        racer = self._drawn.choice(["racer-0", f"racer-{self._drawn.randrange(1, racers)}"])
        kind = self._drawn.choice(("fast", "fast", "fast", "crashing", "hostile", "unlucky", "doomed"))
        race_id = self._drawn.choice(("cup", "solo", "solo", "solo"))
        archived = self._drawn.random() < 0.5
        self.kinds[self.league.submit(racer, kind, race_id, archived=archived)] = kind

    def _drive(self, farm: PracticeFarm) -> None:
        farm.claim(self._drawn.randrange(6))
        while farm.work:
            item = farm.work.pop(0)
            if self._drawn.random() < 0.02:  # the farm dies with all that it has, and comes back
                self._late += [(farm, each) for each in (item, *farm.work)]
                farm.work.clear()
            elif self._drawn.random() < 0.1:
                self._late.append((farm, item))
            else:
                answer = said(farm, item)
                if self._drawn.random() < 0.2:
                    assert said(farm, item) == answer, "the same message has the same answer"


ENDS = {"fast": "scored", "unlucky": "scored", "crashing": "unqualified", "hostile": "rejected", "doomed": "failed"}


def check_campaign(league: VirtualLeague, kinds: dict[str, str]) -> None:
    """Each submission was scored once or refused with its sentence; none lost, none doubled."""
    states = league.states()
    assert states.keys() == kinds.keys(), "none lost"
    results: dict[str, int] = {}
    for row in league.rows(RESULTS):
        results[row.result_id] = results.get(row.result_id, 0) + 1
    settled: dict[str, int] = {}
    for row in league.rows(SUBMISSION_STATES):
        if row.state in ENDS.values():
            settled[row.submission_id] = settled.get(row.submission_id, 0) + 1
    interrupted = 0
    for submission_id, kind in kinds.items():
        submission, state = league.submission(submission_id), states[submission_id]
        if state == "failed" and kind != "doomed":  # its farms died with it three times
            assert "3 times" in submission.sentence, submission
            interrupted += 1
        else:
            assert state == ENDS[kind], submission
        assert submission.sentence, "each with a sentence"
        assert settled[submission_id] == 1, "settled once"
        posted = results.pop(submission.result_id, 0)
        assert posted == (state in ("scored", "unqualified")), "on the board once, or not at all"
    assert not results, "nothing else is on the board"
    assert interrupted <= len(kinds) // 10
    open_runs = [row for row in league.rows(EVALUATIONS) if row.state in ("waiting", "running") and not row.repeats]
    assert not open_runs, "nothing is driven for a submission that is settled"
    for race_id in RUNS:
        best: dict[str, int] = {}
        for row in league.rows(RESULTS):
            if row.race_id == race_id and row.state == "ranked":
                best[row.racer] = min(best.get(row.racer, row.score_ms), row.score_ms)
        assert dict(league.standing(race_id)) == best
