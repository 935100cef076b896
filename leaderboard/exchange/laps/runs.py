"""Runs with their laps from another program's file, scored by the rules of the race that they go into. Pure."""

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from leaderboard.core.attempts import judged
from leaderboard.core.race import RaceRecord, ResultKind
from leaderboard.exchange.csv_table import UploadedFile
from leaderboard.exchange.import_names import ImportNames
from leaderboard.exchange.report import MAX_ERRORS, Remarks, RowNote
from leaderboard.exchange.request import ImportRequest
from leaderboard.exchange.staging import LineOfFile
from leaderboard.store.bulk import NewResult
from shared.protocol.results import MAX_RESULT_BYTES, Evidence, Result, encode_result
from shared.rules.ranking import RaceRules, RunLap, score_run
from shared.text import text
from shared.units import seconds_to_ns

_SAFE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LapRun:
    """A run as the file tells it. `source`: the program; `run_id`: what it calls the run; `line`: where it begins."""

    line: int
    source: str
    run_id: str
    racer: str
    account: str
    laps: tuple[RunLap, ...]
    at_utc_ns: int | None
    model: str = ""

    def result_id(self, race_id: str) -> str:
        """The id of its result: the same whichever file brings the run."""
        safe = _SAFE_ID.fullmatch(self.run_id)
        return f"{self.source}-{race_id}-{self.run_id if safe else hashlib.sha256(self.run_id.encode()).hexdigest()}"


class LapRuns(Protocol):
    """The runs of a file, which can be gone through more than once; remarks and errors."""

    notes: Remarks
    errors: list[RowNote]

    def __iter__(self) -> Iterator[LapRun]: ...

    def close(self) -> None:
        """Drop what waits for it."""


def results_of_runs(
    runs: Iterable[LapRun],
    race: RaceRecord,
    kind: ResultKind,
    request: ImportRequest,
    file: UploadedFile,
    names: ImportNames,
    now_utc_ns: int,
    remarks: Remarks,
    errors: list[RowNote],
) -> Iterator[LineOfFile]:
    """Every run as a result with its score, or without one and the reason; as long as there are few `errors`."""
    for run in runs:
        if len(errors) >= MAX_ERRORS:
            return
        notes: list[RowNote] = []
        laps = run.laps if request.penalties == "added" else _without_penalties(run, race.rules, errors)
        racer = names.of_account(run.line, run.racer, run.account, notes)
        remarks.add(notes)
        score = score_run(laps, race.rules)
        evidence = Evidence(
            "", file.sha256, run.line, run.line, 0, {"source": f"import:{run.source}"}, journal=file.name
        )
        result = Result(
            result_id=run.result_id(race.race_id),
            revision=1,
            race_id=race.race_id,
            racer=racer.racer,
            run_id=_shown_id(run.run_id),
            car="",
            model=run.model,
            model_sha256="",
            laps=laps,
            score_ms=0 if score is None else score.score_ms,
            finished_utc_ns=now_utc_ns if run.at_utc_ns is None else run.at_utc_ns,
            evidence=evidence,
            kind=kind,
        )
        payload = encode_result(result)
        if len(payload) > MAX_RESULT_BYTES:
            errors.append(
                RowNote(run.line, "laps", text("are {count}, which are too many for one run", count=len(laps)))
            )
        yield LineOfFile(run.line, NewResult(result, payload, judged(laps, score, race.rules), racer.name))


def _without_penalties(run: LapRun, rules: RaceRules, errors: list[RowNote]) -> tuple[RunLap, ...]:
    """The laps so that with the race's penalties they take as long as the file says."""
    off_track_ns, collision_ns = seconds_to_ns(rules.off_track_penalty_s), seconds_to_ns(rules.collision_penalty_s)
    laps = []
    for lap in run.laps:
        driven_ns = lap.lap_ns - lap.off_tracks * off_track_ns - lap.collisions * collision_ns
        if lap.valid and driven_ns <= 0:
            what = f"takes {lap.lap_ns / 10**9:.3f} s, less than its penalties by the race's rules: add them instead"
            errors.append(RowNote(run.line, f"lap {lap.number}", what))
        laps.append(dataclasses.replace(lap, lap_ns=max(driven_ns, 0)))
    return tuple(laps)


def _shown_id(run_id: str) -> str:
    return "".join(sign for sign in run_id if sign.isprintable()).strip()[:200] or "run"
