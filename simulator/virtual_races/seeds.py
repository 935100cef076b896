"""Seeds of validation: those on which checkpoints are compared and models are tried at home, never those of a race."""

import hashlib

SEED_BYTES = 6  # as a race's seeds have (leaderboard/core/evaluations/seeds.py)
_LABEL = "raceday validation"


def validation_seeds(runs: int) -> tuple[int, ...]:
    """The first `runs` seeds of validation: the same everywhere, and as likely to be a race's as any other number."""
    digests = (hashlib.sha256(f"{_LABEL} {run}".encode()).digest() for run in range(1, runs + 1))
    return tuple(int.from_bytes(digest[:SEED_BYTES]) for digest in digests)
