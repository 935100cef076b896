"""Refusals as a hostile day leaves them: every kind, the longest clients and requests, more rows than are shown."""

import time

from shared.refusals import MAX_CLIENT_LENGTH, MAX_WHAT_LENGTH, Refusals
from shared.web.drawing.refusal_rows import KIND_WORDS


def hostile_day() -> Refusals:
    """They ended just now by the process's clock."""
    refusals, now_s = Refusals(), time.monotonic()
    for n in range(300):
        refusals.record("host", f"10.{n // 256}.7.{n % 256}", "GET /wp-login.php", now_s - 4_000 + n)
    for n, kind in enumerate(KIND_WORDS):
        for _ in range(1 + 97 * n):
            refusals.record(kind, f"10.66.6.{n}", "POST /api/v1/commands", now_s - 900 + 60 * n)
    refusals.record("host", "2001:db8:ffff:ffff:1:2:3:4", "GET /" + "x" * MAX_WHAT_LENGTH, now_s - 2)
    refusals.record("mqtt", "W" * MAX_CLIENT_LENGTH, "raceday/cars/" + "W" * MAX_WHAT_LENGTH, now_s - 1)
    return refusals
