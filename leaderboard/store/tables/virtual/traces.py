"""Traces of runs: where a car was at each frame, by the trace's hash. A few kilobytes each. And videos made of them.

heat_runs   what each run of a heat came to that farms drove, and the traces of its two cars; one row a run
run_traces  the file as it came (shared/traces/encoding.py); its hash is of what it holds, not of its bytes
run_videos  what somebody asked for, and what became of it; the files go after some days, they can be made again
"""

import sqlalchemy as sa

from leaderboard.store.tables.base import METADATA

RUN_TRACES = sa.Table(
    "run_traces",
    METADATA,
    sa.Column("trace_sha256", sa.Text, primary_key=True),
    sa.Column("file", sa.LargeBinary, nullable=False),
    sa.Column("kept_utc_ns", sa.BigInteger, nullable=False),
)

RUN_VIDEOS = sa.Table(
    "run_videos",
    METADATA,
    sa.Column("trace_sha256", sa.Text, primary_key=True),
    sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("conditions_sha256", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # waiting, running, done or failed
    sa.Column("asked_utc_ns", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("claim_id", sa.Text, nullable=False),  # of the farm that makes it, "" before
    sa.Column("farm", sa.Text, nullable=False),
    sa.Column("until_utc_ns", sa.BigInteger, nullable=False),  # then it is given to another
    sa.Column("reason", sa.Text, nullable=False),  # why the last attempt came to nothing
    sa.Column("file", sa.LargeBinary),
    sa.Index("videos_by_state", "state", "asked_utc_ns"),
)

HEAT_RUNS = sa.Table(
    "heat_runs",
    METADATA,
    sa.Column("bracket_id", sa.Text, sa.ForeignKey("brackets.bracket_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the heat
    sa.Column("run", sa.Integer, primary_key=True),  # of the table `heats`: how often the heat was run by then
    sa.Column("place", sa.Integer, primary_key=True),  # counts from 1 in the order of the seeds
    sa.Column("front_side", sa.Integer, nullable=False),  # who started in front: 0 is the heat's first, 1 its second
    sa.Column("winner_side", sa.Integer),  # who was ahead, NULL for neither
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by_ms", sa.BigInteger),
    sa.Column("by_mm", sa.BigInteger),
    sa.Column("first_trace_sha256", sa.Text, nullable=False),
    sa.Column("second_trace_sha256", sa.Text, nullable=False),
)
