"""Evaluations of submissions: conditions and seeds of races, the runs, who has claimed them, and the farm's nodes.

conditions     as canonical JSON, by the SHA-256 of that text
virtual_races  the seeds of a race with their commitment, and the class of nodes that its results come from
evaluations    one run of one submission in one round; rows are made when a farm takes the first of them
run_claims     who was given a run, until when, and what came of it; a claim that is over stays over
farm_nodes     the machines of farms, with what their canary left
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

CONDITIONS = sa.Table(
    "conditions",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
)

VIRTUAL_RACES = sa.Table(
    "virtual_races",
    METADATA,
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
    sa.Column("commitment", sa.Text, nullable=False),
    sa.Column("drawn", sa.Text, nullable=False),  # the seeds as JSON; secret until the race is closed
    sa.Column("drawn_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("node_class", sa.Text, nullable=False, server_default=""),  # of its first result; "" before
    sa.Column("told_utc_ns", sa.BigInteger),  # when the seeds were told first
    sa.Column("finals_utc_ns", sa.BigInteger),  # when the first in rank were given out to be driven again
)

EVALUATIONS = sa.Table(
    "evaluations",
    METADATA,
    sa.Column("evaluation_id", sa.Text, primary_key=True),
    sa.Column("submission_id", sa.Text, sa.ForeignKey("submissions.submission_id"), nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("repeats", sa.Text, nullable=False),  # the evaluation that this one checks; "" of one that counts
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # waiting, running, done or void
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("conditions_sha256", sa.Text, nullable=False),
    sa.Column("queued_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("apart_from", sa.Text, nullable=False),  # JSON: nodes that are not to drive it
    sa.Column("node", sa.Text, nullable=False),  # that has it, or has driven it
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("trace_sha256", sa.Text, nullable=False),
    sa.Column("report", sa.Text, nullable=False),  # JSON, of one that is done
    sa.Column("cost_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_utc_ns", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False),  # why the last attempt came to nothing
    sa.Index("evaluations_of_submission", "submission_id", "round"),
    sa.Index("evaluations_by_state", "state", "race_id", "account_id", "queued_utc_ns"),
    sa.Index("evaluations_of_node", "node", "ended_utc_ns"),
    sa.Index("evaluations_repeated", "repeats"),
)

RUN_CLAIMS = sa.Table(
    "run_claims",
    METADATA,
    sa.Column("claim_id", sa.Text, primary_key=True),
    sa.Column("evaluation_id", sa.Text, sa.ForeignKey("evaluations.evaluation_id"), nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),  # whose work it is; "" of a repetition
    sa.Column("farm", sa.Text, nullable=False),  # the key that it was claimed with
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("claimed_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("until_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # running, done, prepared, failed or over
    sa.Column("ended_utc_ns", sa.BigInteger),
    sa.Column("cost_ms", sa.BigInteger, nullable=False),
    sa.Column("body_sha256", sa.Text, nullable=False),  # of what ended it, with the answer that it got
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Index("claims_by_state", "state", "until_utc_ns"),
    sa.Index("claims_of_evaluation", "evaluation_id"),
    sa.Index("work_of_accounts", "ended_utc_ns", "account_id", "cost_ms"),
)

FARM_NODES = sa.Table(
    "farm_nodes",
    METADATA,
    sa.Column("node", sa.Text, primary_key=True),  # the key's id and the node's own name
    sa.Column("farm", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("node_class", sa.Text, nullable=False),
    sa.Column("canary_sha256", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("cores", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # active or aside
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("first_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("seen_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("evaluations", sa.BigInteger, nullable=False),
    sa.Column("repeated_at", sa.BigInteger, nullable=False),  # the number of the last one that was repeated
    sa.Column("agreed_utc_ns", sa.BigInteger, nullable=False),  # its results up to then are beyond doubt
    sa.Column("cost_ms", sa.BigInteger, nullable=False),
)
