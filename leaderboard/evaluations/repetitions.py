"""Repetitions: a run that was driven, once more for another node of the same class, which is charged to nobody."""

import dataclasses
import secrets

from leaderboard.store.evaluations.evaluation_rows import Evaluation
from shared.units import NS_PER_S

# A node that was heard within so long is taken to be there.
NODE_IS_THERE_NS = 600 * NS_PER_S


def repetition_of(driven: Evaluation, apart_from: tuple[str, ...], now_utc_ns: int) -> Evaluation:
    """The same run by the same seed, for a node that is none of these."""
    return dataclasses.replace(
        driven,
        evaluation_id=secrets.token_hex(12),
        repeats=driven.evaluation_id,
        queued_utc_ns=now_utc_ns,
        state="waiting",
        attempt=0,
        apart_from=apart_from,
        node="",
        trace_sha256="",
        report="",
        cost_ms=0,
        ended_utc_ns=None,
        reason="",
    )
