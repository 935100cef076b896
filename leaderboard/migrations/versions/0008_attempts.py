"""A result keeps how it stands by itself beside how it stands among the racer's attempts; officials' rulings on attempts.

Until now a result without a score was withdrawn, or its laps made none by rules that had changed: only the first stays so.
"""

import json

import sqlalchemy as sa
from alembic import op

from leaderboard.core.attempts import AttemptVerdict, judged
from shared.protocol.results import decode_result
from shared.rules.ranking import rules_from, score_run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, default in {"verdict": "ranked", "verdict_reason": ""}.items():
        op.add_column("results", sa.Column(name, sa.Text, nullable=False, server_default=default))
    op.create_table(
        "disqualified_attempts",
        sa.Column("result_id", sa.Text, primary_key=True),
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "attempts_given_back",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("racer", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    _judge_those_without_a_score()


def _judge_those_without_a_score() -> None:
    db = op.get_bind()
    found = sa.text(
        "SELECT results.seq, results.payload, races.rules FROM results JOIN races ON races.race_id = results.race_id "
        "WHERE results.score_ms IS NULL"
    )
    set_to = sa.text("UPDATE results SET verdict = :state, verdict_reason = :reason, state = :state, reason = :reason WHERE seq = :seq")
    for seq, payload, rules in db.execute(found).all():
        verdict = _verdict(bytes(payload), rules)
        db.execute(set_to, {"seq": seq, "state": verdict.state, "reason": str(verdict.reason)})


def _verdict(payload: bytes, rules: str) -> AttemptVerdict:
    result, known = decode_result(payload), rules_from(json.loads(rules))
    score = score_run(result.laps, known)
    if score is None and not (result.revision >= 2 and result.score_ms == 0):
        return judged(result.laps, None, known)
    return AttemptVerdict("withdrawn")
