"""The statements of a post, built once at import: building them each time took longer than running them (3x)."""

import sqlalchemy as sa
from sqlalchemy import bindparam as given

from leaderboard.store.tables import ENTRIES, LINES, RACERS, RACES, RECEIPTS, RESULTS

RECEIPT = sa.select(RECEIPTS.c.body_sha256, RECEIPTS.c.answer).where(RECEIPTS.c.webhook_id == given("webhook_id"))
ADD_RECEIPT = sa.insert(RECEIPTS)

RACE = sa.select(RACES).where(RACES.c.race_id == given("race_id"))
RACE_FOR_CHANGE = RACE.with_for_update()
ADD_RACE = sa.insert(RACES)
BUMP = sa.update(RACES).where(RACES.c.race_id == given("of_race")).values(version=RACES.c.version + 1)
BUMP_WITH_UNDO = BUMP.values(undo=given("undo"))

_OF_ENTRY = (ENTRIES.c.race_id == given("race_id")) & (ENTRIES.c.racer == given("racer"))
ENTRY_NAME = sa.select(ENTRIES.c.name).where(_OF_ENTRY)
ENTRY_NAMES = sa.select(ENTRIES.c.racer, ENTRIES.c.name).where(ENTRIES.c.race_id == given("race_id"))
ADD_ENTRY = sa.insert(ENTRIES)

SPELLING = sa.select(RACERS.c.racer).where(
    (RACERS.c.race_id == given("race_id")) & (RACERS.c.key_sha256 == given("key_sha256"))
)
ADD_SPELLING = sa.insert(RACERS)

ORIGIN_OF = (
    sa.select(RESULTS.c.race_id, RESULTS.c.racer, RESULTS.c.kind, RESULTS.c.finished_utc_ns)
    .where(RESULTS.c.result_id == given("result_id"))
    .order_by(RESULTS.c.revision.desc())
    .limit(1)
)
# In the order of acceptance: revision 1 may come after a higher one.
PAYLOADS_OF = sa.select(RESULTS.c.payload).where(RESULTS.c.result_id == given("result_id")).order_by(RESULTS.c.seq)
ADD_RESULT = sa.insert(RESULTS).returning(RESULTS.c.seq)
# All revisions of every result that ever was this racer's: a reassigned one shows by its newest revision.
_RESULTS_OF_RACER = sa.select(RESULTS.c.result_id).where(
    (RESULTS.c.race_id == given("race_id")) & (RESULTS.c.racer == given("racer"))
)
ATTEMPTS_OF = sa.select(
    RESULTS.c.seq,
    RESULTS.c.result_id,
    RESULTS.c.revision,
    RESULTS.c.racer,
    RESULTS.c.score_ms,
    RESULTS.c.finished_utc_ns,
    RESULTS.c.discarded,
    RESULTS.c.kind,
).where(RESULTS.c.result_id.in_(_RESULTS_OF_RACER))
RESULTS_OF_RACE = (
    sa.select(RESULTS.c.seq, RESULTS.c.score_ms, RESULTS.c.racer, RESULTS.c.payload)
    .where(RESULTS.c.race_id == given("race_id"))
    .order_by(RESULTS.c.seq)
)
SET_SCORE = sa.update(RESULTS).where(RESULTS.c.seq == given("of_seq")).values(score_ms=given("score_ms"))
PAYLOADS = sa.select(RESULTS.c.seq, RESULTS.c.payload).where(RESULTS.c.seq.in_(given("seqs", expanding=True)))

_OF_LINE = (
    (LINES.c.race_id == given("of_race")) & (LINES.c.kind == given("of_kind")) & (LINES.c.racer == given("of_racer"))
)
LINE = sa.select(LINES).where(_OF_LINE)
ADD_LINE = sa.insert(LINES)
CHANGE_LINE = (
    sa.update(LINES)
    .where(_OF_LINE)
    .values({name: given(name) for name in ("score_ms", "set_utc_ns", "order", "seq", "attempts")})
)
DROP_LINE = sa.delete(LINES).where(_OF_LINE)

_RANK_KEY = (LINES.c.score_ms, LINES.c.set_utc_ns, LINES.c.order)
_GIVEN_KEY = (given("score_ms", type_=sa.BigInteger), given("set_utc_ns", type_=sa.BigInteger))
_OF_TABLE = (LINES.c.race_id == given("race_id")) & (LINES.c.kind == given("kind"))
LINES_IN_RANK = sa.select(LINES).where(_OF_TABLE).order_by(*_RANK_KEY)
LINE_KEYS = sa.select(LINES.c.kind, LINES.c.racer).where(LINES.c.race_id == given("race_id"))
UNCERTAINTIES = (
    sa.select(RESULTS.c.seq, RESULTS.c.uncertainty_ns).join(LINES, LINES.c.seq == RESULTS.c.seq).where(_OF_TABLE)
)
_COUNT_LINES = sa.select(sa.func.count()).select_from(LINES).where(_OF_TABLE)
_AHEAD = sa.tuple_(*_RANK_KEY) < sa.tuple_(*_GIVEN_KEY, given("order", type_=sa.BigInteger))
COUNT_AHEAD_AND_ALL = sa.select(_COUNT_LINES.where(_AHEAD).scalar_subquery(), _COUNT_LINES.scalar_subquery())
COUNT_LINES = _COUNT_LINES


def _count_of(table: sa.Table) -> sa.ScalarSelect[int]:
    query = sa.select(sa.func.count()).select_from(table).where(table.c.race_id == RACES.c.race_id)
    return query.correlate(RACES).scalar_subquery()


# Whoever stands in two tables of a race is one racer.
_RACERS = sa.case(
    (
        RACES.c.venue == "any",
        sa.select(sa.func.count(LINES.c.racer.distinct()))
        .where(LINES.c.race_id == RACES.c.race_id)
        .correlate(RACES)
        .scalar_subquery(),
    ),
    else_=_count_of(LINES),
)
# The first in rank of each race (of its first table), for the index.
_FIRST = LINES.alias("first")
_LEADER_SEQ = (
    sa.select(LINES.c.seq)
    .where(LINES.c.race_id == RACES.c.race_id)
    .order_by(LINES.c.kind, *_RANK_KEY)
    .limit(1)
    .correlate(RACES)
    .scalar_subquery()
)
HEADS = (
    sa.select(
        RACES,
        _RACERS.label("racers"),
        _count_of(RESULTS).label("results"),
        sa.func.coalesce(ENTRIES.c.name, _FIRST.c.racer).label("leader"),
        _FIRST.c.score_ms.label("leader_score_ms"),
    )
    .select_from(RACES)
    .outerjoin(_FIRST, (_FIRST.c.race_id == RACES.c.race_id) & (_FIRST.c.seq == _LEADER_SEQ))
    .outerjoin(ENTRIES, (ENTRIES.c.race_id == RACES.c.race_id) & (ENTRIES.c.racer == _FIRST.c.racer))
    .order_by(RACES.c.created_utc_ns.desc(), RACES.c.race_id)
)
HEAD = HEADS.where(RACES.c.race_id == given("race_id"))
