"""Evaluations of one leaderboard: what farms ask and say, and how the queue stands. Safe to call from any thread."""

import contextlib
import pathlib
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotHere
from leaderboard.core.submissions.archive import check_sha256
from leaderboard.evaluations import interruptions
from leaderboard.evaluations.claims import Claiming, check_farm
from leaderboard.evaluations.finals import Finals
from leaderboard.evaluations.outcomes import Outcome
from leaderboard.evaluations.repetitions import NODE_IS_THERE_NS
from leaderboard.live_races import rows as live_rows
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import claim_rows, evaluation_rows, node_rows, queue_rows
from leaderboard.store.evaluations.claim_rows import HourOfWork, RunClaim
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.evaluations.node_rows import FarmNode
from leaderboard.store.submissions import submission_rows
from leaderboard.submissions.archives import KeptPart, ModelArchives
from shared.protocol.farm import (
    ClaimAnswer,
    ClaimExtension,
    ClaimRequest,
    PreparationReport,
    RunFailure,
    RunReport,
)
from shared.text import text
from shared.units import NS_PER_S

_SEEING = frozenset({"organiser", "official", "admin"})


@dataclass(frozen=True, slots=True)
class RunningRun:
    """A run that a node is driving now."""

    node: str
    run: int
    attempt: int
    claimed_utc_ns: int
    repetition: bool


@dataclass(frozen=True, slots=True)
class FarmState:
    """How the farms stand: their nodes, what waits by race, what is driven, and what the last hour brought.

    `waiting`: submissions, those of races that the caller does not organise together as "".
    """

    nodes: tuple[FarmNode, ...]
    heard_since_utc_ns: int
    waiting: dict[str, int]
    begun: int
    running: tuple[RunningRun, ...]
    hour: HourOfWork


class Evaluations:
    """The farm's calls over one store. `changed(race_id)` is called after each commit that a page shows.

    `secret`: by which it is decided what is repeated, so that no node can tell; `claim_s`: how long a run may take.
    """

    def __init__(
        self,
        store: Store,
        archives: ModelArchives,
        changed: Callable[[str], None],
        secret: str,
        claim_s: float,
    ) -> None:
        self._store, self._archives, self._changed = store, archives, changed
        self._secret, self._claim_ns = secret, round(claim_s * NS_PER_S)
        self._finals = Finals()

    def claim(self, caller: Caller, asked: ClaimRequest, now_utc_ns: int) -> ClaimAnswer:
        """Give a node runs to drive. Raises Unauthorized, NotAllowed, Conflict (node set aside, other engine)."""
        farm = check_farm(caller)
        with self._store.write() as db:
            claim_rows.lock_farm(db)
            self._finals.begin_due(db, now_utc_ns)
            return Claiming(db, caller, farm, asked, now_utc_ns, self._claim_ns).answer()

    def extend(self, caller: Caller, claim_id: str, extension: ClaimExtension, now_utc_ns: int) -> bytes:
        """A run goes on. Raises UnknownClaim, Gone."""
        return self._reported(
            caller, claim_id, b"", now_utc_ns, lambda outcome: outcome.extend(extension, self._claim_ns)
        )

    def report(self, caller: Caller, claim_id: str, body: bytes, report: RunReport, now_utc_ns: int) -> bytes:
        """A run is driven. Raises UnknownClaim, Gone, Conflict, Refused."""
        return self._reported(caller, claim_id, body, now_utc_ns, lambda outcome: outcome.report(report))

    def fail(self, caller: Caller, claim_id: str, body: bytes, failure: RunFailure, now_utc_ns: int) -> bytes:
        """A run came to nothing. Raises UnknownClaim, Gone, Conflict."""
        return self._reported(caller, claim_id, body, now_utc_ns, lambda outcome: outcome.fail(failure))

    def _reported(
        self, caller: Caller, claim_id: str, body: bytes, now_utc_ns: int, take: Callable[[Outcome], bytes]
    ) -> bytes:
        farm, changed = check_farm(caller), set[str]()
        with self._store.write() as db:
            claim_rows.lock_farm(db)
            answer = take(Outcome(db, farm, claim_id, body, now_utc_ns, self._secret, changed))
        for race_id in sorted(changed):
            self._changed(race_id)
        return answer

    def prepared(self, caller: Caller, claim_id: str, body: bytes, report: PreparationReport, now_utc_ns: int) -> bytes:
        """An archive is read, and one of its checkpoints chosen. Raises UnknownClaim, Gone, Conflict."""
        return self._reported(caller, claim_id, body, now_utc_ns, lambda outcome: outcome.prepared(report))

    def archive(self, caller: Caller, sha256: str) -> pathlib.Path:
        """The file of a model that this farm is to drive now. Raises NotHere for any other."""
        self._check_drives(caller, sha256)
        return self._archives.file(sha256)[0]

    def receive_kept(
        self, caller: Caller, sha256: str, kept_sha256: str
    ) -> contextlib.AbstractContextManager[KeptPart]:
        """Take what this farm keeps of a model that it drives now. Raises NotHere for any other, StorageError."""
        self._check_drives(caller, sha256)
        return self._archives.receive_kept(sha256, kept_sha256)

    def _check_drives(self, caller: Caller, sha256: str) -> None:
        farm = check_farm(caller)
        with self._store.read() as db:
            wanted = check_sha256(sha256)
            if not claim_rows.drives_model(db, farm, wanted) and not _other_work(db, caller, farm, wanted):
                raise NotHere(text("This farm drives no model {sha256} now.", sha256=repr(sha256)))

    def restore(self, caller: Caller, name: str, now_utc_ns: int) -> int:
        """The nodes of this name that are set aside may drive again; how many.

        As each node drives for all races, this is for whoever organises anything. Raises NotAllowed, Unauthorized,
        NotHere.
        """
        if not organises(caller):
            access.require(caller, "season.edit")
        with self._store.write() as db:
            claim_rows.lock_farm(db)
            nodes = node_rows.aside(db, name.replace("\0", ""))
            for node in nodes:
                interruptions.restore(db, caller, node, now_utc_ns)
        if not nodes:
            raise NotHere(text("No node {name} is set aside.", name=repr(name[:80])))
        return len(nodes)

    def state(self, caller: Caller, now_utc_ns: int) -> FarmState:
        """How the farms stand, to whoever organises or officiates anywhere; to a farm's key its own nodes.

        Raises Unauthorized, NotAllowed.
        """
        own = None if sees_farms(caller) else check_farm(caller)
        since = now_utc_ns - NODE_IS_THERE_NS
        with self._store.read() as db:
            nodes = tuple(node_rows.every(db, farm=own))
            claims = [claim for claim in claim_rows.running(db) if own in (None, claim.farm)]
            running = tuple(_running(claim, evaluation_rows.get(db, claim.evaluation_id)) for claim in claims)
            waiting: dict[str, int] = {}
            for race_id, count in queue_rows.waiting_by_race(db).items():
                shown = race_id if access.may(caller, "submission.manage", race_rows.race(db, race_id)) else ""
                waiting[shown] = waiting.get(shown, 0) + count
            begun, hour = len(evaluation_rows.waiting(db)), claim_rows.last_hour(db, now_utc_ns)
            return FarmState(nodes, since, waiting, begun, running, hour)


def _other_work(db: sa.Connection, caller: Caller, farm: str, sha256: str) -> bool:
    """Whether a turn of a LIVE race or a heat of a bracket is driven with the model, where this farm drives."""
    if live_rows.drives_model(db, farm, sha256):
        return True
    return any(access.key_may(caller, "farm", race_id) for race_id in submission_rows.driven_brackets(db, sha256))


def sees_farms(caller: Caller) -> bool:
    """Whether the caller organises or officiates anything here: then all farms are shown."""
    return any(grant.role in _SEEING for grant in caller.grants)


def organises(caller: Caller) -> bool:
    """Whether the caller organises anything here."""
    return any(grant.role in ("organiser", "admin") for grant in caller.grants)


def _running(claim: RunClaim, run: Evaluation) -> RunningRun:
    return RunningRun(claim.node, run.run, run.attempt, claim.claimed_utc_ns, bool(run.repeats))
