"""What the parts of addresses name in the role table: for each call and caller a thing of its own, made when asked for.

What belongs to an account (keys, sessions, credentials) is the caller's own; of nobody and of the key, somebody else's.
"""

import hashlib
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.board import LeaderboardService
from leaderboard.core.access import ADMIN, Grant
from leaderboard.core.attempts import AttemptVerdict
from leaderboard.core.league.records import EventRecord, SeriesRecord
from leaderboard.core.league.series import CalendarRule, SeriesPlace
from leaderboard.core.seasons.bracket import BracketSettings, HeatResult
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.league.invitations import InvitationService
from leaderboard.notices import outbox
from leaderboard.notices.outbox import SubscriptionRow
from leaderboard.store import league_rows, racer_rows, result_rows, season_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import claim_rows, evaluation_rows, heat_rows, node_rows, trace_rows
from leaderboard.store.evaluations.claim_rows import RunClaim
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.evaluations.node_rows import FarmNode
from leaderboard.store.season_rows import BracketRecord, SeasonMember, TeamRecord
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.submissions.model_rows import ModelRecord, StoredArchive, UploadRecord
from leaderboard.store.tables import API_KEYS, CREDENTIALS, ENTRIES
from leaderboard.submissions.model_files import ModelFiles
from shared.protocol.farm_shows import HeatRun
from shared.protocol.results import encode_result
from shared.traces.encoding import encode, trace_sha256
from tests.leaderboard.sample_races import race, result
from tests.leaderboard.signed_in import account
from tests.shared.traces.driven import round_trip

NOW = 1_800_000_000_000_000_000
SEASON = "league"
TRACE = encode(round_trip(1))


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom a thing is made: a name of its own, the race of the call, and the account that may own it.

    `models`: the folder of the archives.
    """

    store: Store
    invitations: InvitationService
    name: str
    race_id: str
    account_id: str
    models: pathlib.Path


def _account(asked: Asked) -> str:
    account(asked.store, asked.name, Grant("commentator", "season", SEASON), now_utc_ns=NOW)
    return asked.name


def _attempt(asked: Asked) -> str:
    one = result(f"run-{asked.name}", "anna", race_id=asked.race_id)
    reply = LeaderboardService(asked.store).apply(one.webhook_id, encode_result(one), NOW)
    assert reply.status == 201, reply
    return one.result_id


def _bracket(asked: Asked) -> str:
    with asked.store.write() as db:
        settings, seeds = BracketSettings(4), ("anna", "bo", "cy", "dee")
        season_rows.add_bracket(db, BracketRecord(asked.name, asked.race_id, SEASON, "Cup", settings, seeds), NOW)
        # The first heat was driven by a farm.
        traces = (trace_sha256(round_trip(1)),) * 2
        trace_rows.keep(db, traces[0], TRACE, NOW)
        run = season_rows.add_heat_result(db, asked.name, 1, HeatResult("anna"), NOW)
        heat_rows.add(db, asked.name, 1, run, [HeatRun(0, 0, "farther", traces)])
    return asked.name


def _credential(asked: Asked) -> str:
    values = {"credential_id": asked.name, "account_id": asked.account_id, "kind": "passkey", "label": "", "secret": ""}
    with asked.store.write() as db:
        db.execute(sa.insert(CREDENTIALS), values | {"rp_id": "", "sign_count": 0, "created_utc_ns": NOW})
    return asked.name


def _event(asked: Asked) -> str:
    with asked.store.write() as db:
        league_rows.add_event(db, EventRecord(asked.name, "Day", season_id=SEASON), NOW)
    return asked.name


def _key(asked: Asked) -> str:
    values = {"key_id": asked.name, "key_sha256": asked.name, "account_id": asked.account_id, "name": "Key"}
    with asked.store.write() as db:
        db.execute(sa.insert(API_KEYS), values | {"scopes": '["races:read"]', "races": "[]", "created_utc_ns": NOW})
    return asked.name


def _racer(asked: Asked) -> str:
    """Entered in the race of the call, if there is one, and a member of the season."""
    with asked.store.write() as db:
        season_rows.set_member(db, SEASON, SeasonMember(asked.name))
        if asked.race_id:
            entry = {"race_id": asked.race_id, "racer": asked.name, "name": asked.name, "entered_utc_ns": NOW}
            db.execute(sa.insert(ENTRIES), entry)
            racer_rows.spelling(db, asked.race_id, asked.name)
    return asked.name


def _receiver(asked: Asked) -> str:
    row = SubscriptionRow(asked.name, "https://hooks.example/a", "", "race.final", asked.race_id, "", "", NOW)
    with asked.store.write() as db:
        outbox.add_subscription(db, row)
    return asked.name


def _series(asked: Asked) -> str:
    place = SeriesPlace(CalendarRule("month", "2100-01-31T18:00", "UTC"), 2, 2 * NOW, 2 * NOW)
    with asked.store.write() as db:
        template = race("template", season_id=SEASON)
        league_rows.add_series(db, SeriesRecord(asked.name, "Monthly", "Monthly {n}", template, place), NOW)
    return asked.name


def _session(asked: Asked) -> str:
    with asked.store.write() as db:
        return open_session(db, asked.account_id, "", NOW, SessionPeriods()).session_id


def _model(asked: Asked) -> str:
    sha256 = hashlib.sha256(asked.name.encode()).hexdigest()
    with asked.store.write() as db:
        model_rows.keep_archive(db, StoredArchive(sha256, 1, "", 0, NOW))
        model_rows.add_model(db, ModelRecord(asked.account_id, sha256, asked.name, 1, NOW))
    return sha256


def _submission(asked: Asked, model_sha256: str = "") -> str:
    """In the race of the call, by the caller; by somebody else, if the caller has no account."""
    model_sha256 = model_sha256 or _stored(asked, b"everybody's")
    submission_id = hashlib.sha256(asked.name.encode()).hexdigest()[:16]
    by = asked.account_id
    one = ModelSubmission(
        submission_id, asked.race_id, by, asked.name, model_sha256, "Zip", "", "unqualified", "", NOW, NOW, NOW
    )
    driven = result(one.result_id, asked.name, race_id=asked.race_id)
    with asked.store.write() as db:
        model_rows.keep_archive(db, StoredArchive(model_sha256, 1, "", 0, NOW))
        submission_rows.add(db, one, by)
        result_rows.add_result(db, driven, encode_result(driven), AttemptVerdict("unqualified"), NOW)
        trace_rows.keep(db, driven.evidence.journal_head, TRACE, NOW)
        run = Evaluation(f"driven-{submission_id}", submission_id, 1, 1, asked.race_id, by, 1, "0" * 64, NOW)
        evaluation_rows.add(db, [replace(run, state="done", trace_sha256=driven.evidence.journal_head)])
    return submission_id


def _stored(asked: Asked, content: bytes) -> str:
    """The hash of an archive that is in the folder of models."""
    sha256 = hashlib.sha256(content).hexdigest()
    files = ModelFiles(asked.models)
    part = files.receive_kept(sha256, "role")
    part.write(content)
    part.close()
    files.put_kept(sha256, "role")
    return sha256


def _archive(asked: Asked) -> str:
    """Of a model that the admin's own farm drives."""
    sha256 = _stored(asked, asked.name.encode())
    _claim(asked, sha256)
    with asked.store.write() as db:
        model_rows.keep_archive(db, StoredArchive(sha256, 1, "", 0, NOW))
    return sha256


def _claim(asked: Asked, model_sha256: str = "0" * 64) -> str:
    """Of a run of the admin's own farm."""
    submission_id = _submission(asked, model_sha256)
    claim_id = hashlib.sha256(f"claim {asked.name}".encode()).hexdigest()[:24]
    run = Evaluation(claim_id, submission_id, 1, 1, asked.race_id, asked.account_id, 1, "0" * 64, NOW, state="running")
    with asked.store.write() as db:
        evaluation_rows.add(db, [run])
        claim_rows.add(db, RunClaim(claim_id, claim_id, asked.account_id, "admin", "admin/node", NOW, 2 * NOW))
    return claim_id


def _node(asked: Asked) -> str:
    """One that is set aside."""
    made = FarmNode(f"admin/{asked.name}", "admin", asked.name, "c", "c", "e", 1, NOW, NOW, "aside", "Other results.")
    with asked.store.write() as db:
        node_rows.store(db, made)
    return asked.name


def _team(asked: Asked) -> str:
    with asked.store.write() as db:
        season_rows.add_team(db, TeamRecord(asked.name, SEASON, asked.name), NOW)
    return asked.name


def _upload(asked: Asked) -> str:
    upload_id = hashlib.sha256(asked.name.encode()).hexdigest()[:24]
    with asked.store.write() as db:
        begun = UploadRecord(upload_id, asked.account_id, upload_id, 1, asked.name, 0, NOW, NOW)
        model_rows.add_upload(db, begun)
    return upload_id


def _token(asked: Asked) -> str:
    return asked.invitations.make(ADMIN, asked.race_id, NOW)[0].token


# Every part of an address of the OpenAPI document.
PARTS: dict[str, Callable[[Asked], str]] = {
    "alias": _account,
    "archive_sha256": _archive,
    "attempt_id": _attempt,
    "bracket_id": _bracket,
    "claim_id": _claim,
    "credential_id": _credential,
    "event_id": _event,
    "kept_sha256": lambda _: hashlib.sha256(b"kept").hexdigest(),
    "key_id": _key,
    "launch": lambda _: "1",
    "node": _node,
    "number": lambda _: "1",
    "race_id": lambda asked: asked.race_id,
    "racer": _racer,
    "receiver_id": _receiver,
    "role": lambda _: "commentator",
    "run": lambda _: "1",
    "season_id": lambda _: SEASON,
    "series_id": _series,
    "session_id": _session,
    "side": lambda _: "first",
    "sha256": _model,
    "submission_id": _submission,
    "team_id": _team,
    "token": _token,
    "trace_sha256": lambda _: "0" * 64,
    "turn": lambda _: "t1",
    "upload_id": _upload,
    "video_claim": lambda _: "0" * 24,
}
# Of no race by their addresses, but of things that belong to one.
OF_A_RACE = frozenset(
    {"archive_sha256", "attempt_id", "bracket_id", "claim_id", "receiver_id", "submission_id", "token"}
)
