"""Sample results and outbox rows, as a station makes them."""

from shared.protocol.results import Evidence, Result, encode_result
from shared.rules.ranking import RunLap
from station.sync.schedule import OutboxRow


def result(result_id: str = "race-1.run-1", revision: int = 0, racer: str = "Ada") -> Result:
    laps = tuple(RunLap(n, 10_000_000_000 + n, n * 10_000_000_000) for n in (1, 2, 3))
    evidence = Evidence("station-1", "00" * 32, 1, 9, 1000, {"raceday": "0.1.0"})
    return Result(
        result_id,
        revision,
        "race-1",
        racer,
        "run-1",
        "car-1",
        "m",
        "ab" * 32,
        laps,
        10_000,
        1_700_000_000_000,
        evidence,
    )


def row(seq: int, result_id: str = "race-1.run-1", revision: int = 0) -> OutboxRow:
    return OutboxRow(seq, result_id, revision, encode_result(result(result_id, revision)))
