"""Results for the check: made to qualify by the rules of the race, and to differ where a probe needs it. Pure."""

import dataclasses
from dataclasses import dataclass

from shared.protocol.results import Evidence, Result, encode_result
from shared.rules.ranking import RaceRules, RunLap, score_run
from shared.units import NS_PER_MS, NS_PER_S


@dataclass(slots=True)
class ResultMaker:
    """Makes results of one check: its racers and ids occur in no other check. `finished_utc_ns`: of the first run."""

    race_id: str
    rules: RaceRules
    mark: str
    station: str
    finished_utc_ns: int
    made: int = 0

    def racer(self, name: str) -> str:
        """A racer of this check."""
        return f"Check {self.mark} {name}"

    def result(self, name: str, lap_ms: int = 0, laps: int | None = None, after_s: int = 0) -> Result:
        """A run of the racer `name`: laps of `lap_ms` above the race's minimum; by default as many as make a score."""
        self.made += 1
        count = self.rules.consecutive_laps if laps is None else laps
        lap_ns = (round(self.rules.min_lap_s * 1000) + 5_000 + lap_ms) * NS_PER_MS
        driven = tuple(RunLap(number, lap_ns, number * lap_ns) for number in range(1, count + 1))
        score = score_run(driven, self.rules)
        evidence = Evidence(self.station, "", 1, 9, 50_000, {"raceday": "vendor check"})
        return Result(
            result_id=f"check.{self.mark}.{self.made}",
            revision=1,
            race_id=self.race_id,
            racer=self.racer(name),
            run_id=f"check-{self.mark}-{self.made}",
            car="check",
            model="",
            model_sha256="",
            laps=driven,
            score_ms=0 if score is None else score.score_ms,
            finished_utc_ns=self.finished_utc_ns + after_s * NS_PER_S,
            evidence=evidence,
        )

    def of_size(self, name: str, size: int) -> Result:
        """A result whose body has exactly `size` bytes, by the versions that its evidence names."""
        result = self.result(name)
        for count in range(1, 200):
            missing = size - len(encode_result(_padded(result, count, 1)))
            if missing < 0:
                break
            if missing <= _VALUE_LIMIT * count:
                return _exactly(result, count, missing)
        raise AssertionError(f"no result of {size} bytes can be made")

    def corrected(self, result: Result, lap_ms: int, revision: int = 2) -> Result:
        """A later revision of a result with other lap times."""
        fresh = self.result("corrected", lap_ms, len(result.laps))
        return dataclasses.replace(result, revision=revision, laps=fresh.laps, score_ms=fresh.score_ms)


_VALUE_LIMIT = 150  # of a text in the evidence; at most 200 are accepted


def _padded(result: Result, count: int, width: int) -> Result:
    versions = {f"padding {number:03}": "x" * width for number in range(count)}
    return dataclasses.replace(result, evidence=dataclasses.replace(result.evidence, versions=versions))


def _exactly(result: Result, count: int, missing: int) -> Result:
    each, rest = divmod(missing, count)
    versions = {f"padding {number:03}": "x" * (1 + each + (number < rest)) for number in range(count)}
    return dataclasses.replace(result, evidence=dataclasses.replace(result.evidence, versions=versions))


def withdrawn(result: Result, revision: int = 2, *, discarded: bool = False) -> Result:
    """The revision that takes a result out of the standing."""
    return dataclasses.replace(result, revision=revision, score_ms=0, discarded=discarded)
