"""The statements of a post, built once at import: building them each time took longer than running them (3x)."""

import dataclasses
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as given

from leaderboard.core.rank import BestAttempt
from leaderboard.store.direct import DirectStatement
from leaderboard.store.tables import BOARDS, DISQUALIFIED_ATTEMPTS, ENTRIES, LINES, RACERS, RACES, RECEIPTS, RESULTS

RECEIPT = DirectStatement(
    sa.select(RECEIPTS.c.body_sha256, RECEIPTS.c.answer).where(RECEIPTS.c.webhook_id == given("webhook_id"))
)
ADD_RECEIPT = DirectStatement(sa.insert(RECEIPTS))

RACE = sa.select(RACES).where(RACES.c.race_id == given("race_id"))
RACE_FOR_CHANGE = RACE.with_for_update()
ADD_RACE = sa.insert(RACES)
_BUMP = sa.update(RACES).where(RACES.c.race_id == given("of_race")).values(version=RACES.c.version + 1)
BUMP = DirectStatement(_BUMP)
BUMP_WITH_UNDO = DirectStatement(_BUMP.values(undo=given("undo")))

ONE_MORE_RESULT = DirectStatement(
    sa.update(RACES).where(RACES.c.race_id == given("of_race")).values(results=RACES.c.results + 1)
)

_OF_ENTRY = (ENTRIES.c.race_id == given("race_id")) & (ENTRIES.c.racer == given("racer"))
ENTRY_NAME = sa.select(ENTRIES.c.name).where(_OF_ENTRY)
ENTRY_STATE = sa.select(ENTRIES.c.state).where(_OF_ENTRY)

SPELLING = DirectStatement(
    sa.select(RACERS.c.racer).where(
        (RACERS.c.race_id == given("race_id")) & (RACERS.c.key_sha256 == given("key_sha256"))
    )
)
ADD_SPELLING = DirectStatement(sa.insert(RACERS))

ORIGIN_OF = DirectStatement(
    sa.select(RESULTS.c.race_id, RESULTS.c.racer, RESULTS.c.kind, RESULTS.c.finished_utc_ns)
    .where(RESULTS.c.result_id == given("result_id"))
    .order_by(RESULTS.c.revision.desc())
    .limit(1)
)
# In the order of acceptance: revision 1 may come after a higher one.
PAYLOADS_OF = sa.select(RESULTS.c.payload).where(RESULTS.c.result_id == given("result_id")).order_by(RESULTS.c.seq)
ADD_RESULT = DirectStatement(
    sa.insert(RESULTS).returning(RESULTS.c.seq), [column.name for column in RESULTS.c if column.name != "seq"]
)
# All revisions of every result that ever was this racer's: a reassigned one shows by its newest revision.
_RESULTS_OF_RACER = sa.select(RESULTS.c.result_id).where(
    (RESULTS.c.race_id == given("race_id")) & (RESULTS.c.racer == given("racer"))
)
_ATTEMPTS = sa.select(
    RESULTS.c.seq,
    RESULTS.c.result_id,
    RESULTS.c.revision,
    RESULTS.c.racer,
    RESULTS.c.score_ms,
    RESULTS.c.finished_utc_ns,
    RESULTS.c.discarded,
    RESULTS.c.kind,
    RESULTS.c.verdict,
    RESULTS.c.verdict_reason,
    RESULTS.c.state,
    RESULTS.c.reason,
    DISQUALIFIED_ATTEMPTS.c.reason.label("disqualified_for"),
)
_ALL_ATTEMPTS = _ATTEMPTS.outerjoin(DISQUALIFIED_ATTEMPTS, DISQUALIFIED_ATTEMPTS.c.result_id == RESULTS.c.result_id)
ATTEMPTS_OF = _ALL_ATTEMPTS.where(RESULTS.c.result_id.in_(_RESULTS_OF_RACER))
ATTEMPTS_OF_RACE = _ALL_ATTEMPTS.where(RESULTS.c.race_id == given("race_id"))
RESULTS_OF_RACE = (
    sa.select(
        RESULTS.c.seq,
        RESULTS.c.score_ms,
        RESULTS.c.verdict,
        RESULTS.c.verdict_reason,
        RESULTS.c.racer,
        RESULTS.c.payload,
    )
    .where(RESULTS.c.race_id == given("race_id"))
    .order_by(RESULTS.c.seq)
)
PAYLOADS = sa.select(RESULTS.c.seq, RESULTS.c.payload).where(RESULTS.c.seq.in_(given("seqs", expanding=True)))

_OF_LINE = (
    (LINES.c.race_id == given("of_race")) & (LINES.c.kind == given("of_kind")) & (LINES.c.racer == given("of_racer"))
)
# As BestAttempt takes them.
LINE_COLUMNS = tuple(LINES.c[field.name] for field in dataclasses.fields(BestAttempt))
LINE = DirectStatement(sa.select(*LINE_COLUMNS).where(_OF_LINE))
ADD_LINE = DirectStatement(sa.insert(LINES))
CHANGE_LINE = DirectStatement(
    sa.update(LINES)
    .where(_OF_LINE)
    .values({name: given(name) for name in ("score_ms", "set_utc_ns", "order", "seq", "attempts")})
)
FOLD_NAME = (
    sa.update(LINES)
    .where((LINES.c.race_id == given("of_race")) & (LINES.c.racer == given("of_racer")))
    .values(folded=given("folded"))
)
DROP_LINE = DirectStatement(sa.delete(LINES).where(_OF_LINE))

_RANK_KEY = (LINES.c.score_ms, LINES.c.set_utc_ns, LINES.c.order)
_OF_TABLE = (LINES.c.race_id == given("race_id")) & (LINES.c.kind == given("kind"))
LINES_IN_RANK = sa.select(*LINE_COLUMNS).where(_OF_TABLE).order_by(*_RANK_KEY)
LINE_KEYS = sa.select(LINES.c.kind, LINES.c.racer).where(LINES.c.race_id == given("race_id"))
# Whoever stands in two tables of a race is one racer.
_RACERS = sa.case(
    (
        RACES.c.venue == "any",
        sa.select(sa.func.count(LINES.c.racer.distinct()))
        .where(LINES.c.race_id == RACES.c.race_id)
        .correlate(RACES)
        .scalar_subquery(),
    ),
    else_=sa.select(sa.func.coalesce(sa.func.sum(BOARDS.c.ranked), 0))
    .where(BOARDS.c.race_id == RACES.c.race_id)
    .correlate(RACES)
    .scalar_subquery(),
)


def _of_leader(column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """Of the first in rank of each race (of its first table), for the index."""
    leader = (
        sa.select(column)
        .select_from(LINES)
        .outerjoin(ENTRIES, (ENTRIES.c.race_id == LINES.c.race_id) & (ENTRIES.c.racer == LINES.c.racer))
        .where(LINES.c.race_id == RACES.c.race_id)
    )
    return leader.order_by(LINES.c.kind, *_RANK_KEY).limit(1).correlate(RACES).scalar_subquery()


HEADS = sa.select(
    RACES,
    _RACERS.label("racers"),
    _of_leader(sa.func.coalesce(ENTRIES.c.name, LINES.c.racer)).label("leader"),
    _of_leader(LINES.c.score_ms).label("leader_score_ms"),
).order_by(RACES.c.created_utc_ns.desc(), RACES.c.race_id)
