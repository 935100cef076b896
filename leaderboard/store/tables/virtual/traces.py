"""Traces of runs: where a car was at each frame, by the trace's hash. A few kilobytes each.

run_traces  the file as it came (shared/traces/encoding.py); its hash is of what it holds, not of its bytes
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
