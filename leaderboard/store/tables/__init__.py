"""The tables as the code reads them; `migrations/` makes them, and a test compares the two.

A file for each subject. Every file that defines tables is imported here, so that METADATA is whole.
"""

from leaderboard.store.tables.accounts import (
    ACCOUNTS,
    ALIASES,
    API_KEYS,
    CHALLENGES,
    CREDENTIALS,
    RECOVERY_CODES,
    ROLES,
    SESSIONS,
)
from leaderboard.store.tables.attempts import DISQUALIFIED_ATTEMPTS, GIVEN_BACK
from leaderboard.store.tables.audit import AUDIT
from leaderboard.store.tables.base import METADATA
from leaderboard.store.tables.imports import IMPORTED_ROWS, IMPORTS
from leaderboard.store.tables.invitations import INVITATIONS
from leaderboard.store.tables.league import BLOBS, EVENTS, SEASONS, SERIES, UNLOCK_REQUESTS
from leaderboard.store.tables.live import LIVE_QUEUE, LIVE_SESSIONS
from leaderboard.store.tables.notices import DELIVERIES, MARKS, NOTICES, SUBSCRIPTIONS, TRACK_RECORDS
from leaderboard.store.tables.races import ENTRIES, RACE_VERSIONS, RACERS, RACES
from leaderboard.store.tables.ranks import BOARDS, RANK_BUCKETS
from leaderboard.store.tables.results import LINES, RECEIPTS, RESULTS
from leaderboard.store.tables.titles import BRACKETS, DIVISIONS, HEATS, MEMBERS, TEAMS
from leaderboard.store.tables.virtual.evaluations import CONDITIONS, EVALUATIONS, FARM_NODES, RUN_CLAIMS, VIRTUAL_RACES
from leaderboard.store.tables.virtual.models import MODEL_BLOBS, MODELS, UPLOADS
from leaderboard.store.tables.virtual.submissions import SUBMISSION_STATES, SUBMISSIONS
from leaderboard.store.tables.virtual.traces import HEAT_RUNS, RUN_TRACES, RUN_VIDEOS

__all__ = [
    "ACCOUNTS",
    "ALIASES",
    "API_KEYS",
    "AUDIT",
    "BLOBS",
    "BOARDS",
    "BRACKETS",
    "CHALLENGES",
    "CONDITIONS",
    "CREDENTIALS",
    "DELIVERIES",
    "DISQUALIFIED_ATTEMPTS",
    "DIVISIONS",
    "ENTRIES",
    "EVALUATIONS",
    "EVENTS",
    "FARM_NODES",
    "GIVEN_BACK",
    "HEATS",
    "HEAT_RUNS",
    "IMPORTED_ROWS",
    "IMPORTS",
    "INVITATIONS",
    "LINES",
    "LIVE_QUEUE",
    "LIVE_SESSIONS",
    "MARKS",
    "MEMBERS",
    "METADATA",
    "MODELS",
    "MODEL_BLOBS",
    "NOTICES",
    "RACERS",
    "RACES",
    "RACE_VERSIONS",
    "RANK_BUCKETS",
    "RECEIPTS",
    "RECOVERY_CODES",
    "RESULTS",
    "ROLES",
    "RUN_CLAIMS",
    "RUN_TRACES",
    "RUN_VIDEOS",
    "SEASONS",
    "SERIES",
    "SESSIONS",
    "SUBMISSIONS",
    "SUBMISSION_STATES",
    "SUBSCRIPTIONS",
    "TEAMS",
    "TRACK_RECORDS",
    "UNLOCK_REQUESTS",
    "UPLOADS",
    "VIRTUAL_RACES",
]
