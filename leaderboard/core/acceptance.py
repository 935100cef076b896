"""Whether a posted result may enter a race, and with which score. Called by stations/posting.py."""

from collections.abc import Sequence

from leaderboard.core.attempts import AttemptVerdict, judged
from leaderboard.core.errors import UnknownRace
from leaderboard.core.race import RaceRecord
from shared.errors import Refused
from shared.protocol.results import Result
from shared.rules.person_names import person_name
from shared.rules.ranking import RunLap, score_run
from shared.text import text

_INT_LIMIT = 2**63
_DURATION_LIMIT_NS = 10**15
_COUNT_LIMIT = 10**6
_TEXT_LIMIT = 200
_UNCERTAINTY_NS = 2 * 10**9  # of hand times at both ends; allowed whatever the laps are
_LAST_UTC_NS = 9214646400 * 10**9  # the year 2262, in which 63 bits of nanoseconds end
_CORRECTED = text("withdrawn by a correction")


def accept(
    race: RaceRecord, result: Result, *, entered: bool, known: bool, provisional: bool = False
) -> AttemptVerdict:
    """How a checked result stands that may enter `race`: ranked, unqualified, withdrawn or disqualified, and why.

    `entered`: the racer is registered. `known`: a revision of this result is already in the race; `provisional`: only
    from a station whose clock was not set. When that clock is known and the run was driven outside of the race's
    window after all, the result is withdrawn too. Raises Refused with the sentence for the station's operator.
    """
    _check_race(race, result, entered)
    outside = _outside(race, result) if not known or (provisional and result.evidence.clock_trusted) else ""
    if outside and not known:
        raise Refused(outside)
    if outside:
        return AttemptVerdict("withdrawn", text("driven outside of the race's window"))
    return _verdict(race, result)


def _verdict(race: RaceRecord, result: Result) -> AttemptVerdict:
    correction = result.revision >= 2
    if result.disqualified:
        return AttemptVerdict("disqualified", text("disqualified at the track"))
    if correction and result.score_ms == 0 and result.qualified:
        return AttemptVerdict("withdrawn", _CORRECTED)
    score = score_run(result.laps, race.rules)
    if not result.qualified and score is not None and not correction:
        raise Refused(
            f"The run is posted as not qualified, its laps make {score.score_ms} ms by the rules of "
            f"race {race.race_id!r}: give station and leaderboard the same rules."
        )
    if not result.qualified:
        # A correction is never refused for its laps: whatever they are, the station takes the score back.
        return judged(result.laps, None, race.rules) if score is None else AttemptVerdict("withdrawn", _CORRECTED)
    if score is None:
        raise Refused(
            f"The run does not qualify: it holds no {race.rules.consecutive_laps} successful laps in a row "
            f"by the rules of race {race.race_id!r}."
        )
    if score.score_ms != result.score_ms:
        raise Refused(
            f"The posted score is {result.score_ms} ms, the laps make {score.score_ms} ms by the rules of "
            f"race {race.race_id!r}: give station and leaderboard the same rules."
        )
    return judged(result.laps, score, race.rules)


def _check_race(race: RaceRecord, result: Result, entered: bool) -> None:
    if race.stage in ("draft", "deleted"):
        raise UnknownRace.of(race.race_id)  # nothing is stored: it may be posted again once the race is there
    if race.stage == "final":
        raise Refused(f"The results of race {race.race_id!r} are final: an official unlocks them first.")
    if race.venue not in (result.kind, "any"):
        raise Refused(f"The result is {result.kind}, race {race.race_id!r} is {race.venue}.")
    if race.entry == "registered" and not entered:
        raise Refused(f"Racer {result.racer!r} is not entered in race {race.race_id!r}: register the racer first.")
    if race.conditions_sha256 and result.kind == "virtual":
        _check_conditions(race, result.evidence.conditions_sha256)


def _check_conditions(race: RaceRecord, named: str) -> None:
    if named == race.conditions_sha256:
        return
    wanted = f"race {race.race_id!r} is driven in the virtual world {race.conditions_sha256[:12]}"
    if not named:
        raise Refused(f"The virtual result names no conditions (`evidence.conditions_sha256`); {wanted}.")
    raise Refused(f"The virtual result was driven in another world ({named[:12]}); {wanted}.")


def _outside(race: RaceRecord, result: Result) -> str:
    """Why the run was not driven within the race's window; "" if it was."""
    # A venue without internet posts late: the window is about when the run was finished, not about the post.
    if race.opens_utc_ns is not None and result.finished_utc_ns < race.opens_utc_ns:
        return f"The run was finished before race {race.race_id!r} opened."
    ends = race.ends_utc_ns()
    if ends is not None and result.finished_utc_ns >= ends:
        return f"The run was finished after race {race.race_id!r} closed."
    return ""


def check_result(result: Result) -> None:
    """Check what can be checked of a result without its race. Raises Refused."""
    racer_name(result.racer)
    _check_texts(result)
    _check_numbers(result)
    check_laps(result.laps)


def _check_texts(result: Result) -> None:
    # Names are shown to people and stored in databases: short, printable, no invisible characters.
    named = {
        "result_id": result.result_id,
        "run_id": result.run_id,
        "car": result.car,
        "model": result.model,
    }
    for name, value in named.items():
        _check_text(name, value, empty=name in ("car", "model"))
    source = result.evidence
    evidence = [
        result.model_sha256,
        source.station,
        source.journal,
        source.journal_head,
        source.public_key,
        source.conditions_sha256,
    ]
    for value in (*evidence, source.signature, *source.versions, *source.versions.values()):
        _check_text("evidence", value, empty=True)


def _check_text(name: str, value: str, empty: bool = False) -> None:
    if not empty and not value:
        raise Refused(f"The `{name}` is empty.")
    if len(value) > _TEXT_LIMIT:
        raise Refused(f"The `{name}` has {len(value)} characters; at most {_TEXT_LIMIT} are allowed.")
    if value != value.strip() or not value.isprintable():
        raise Refused(f"The `{name}` holds blanks at its ends or invisible characters.")


def racer_name(racer: str) -> str:
    """A racer's name in the one form that is stored. Raises Refused."""
    if not racer:
        raise Refused("The `racer` is empty.")
    return person_name(racer, max_characters=_TEXT_LIMIT)


def check_name(name: str, value: str, *, empty: bool = False) -> str:
    """Return a name from an admin call, checked as those in results are; `name` is its field. Raises Refused."""
    _check_text(name, value, empty=empty)
    return value


def _check_numbers(result: Result) -> None:
    if not 1 <= result.revision < 2**31:
        raise Refused(f"The result's `revision` is {result.revision}; revisions count from 1.")
    if result.discarded and (result.revision == 1 or result.score_ms != 0):
        raise Refused("A `discarded` result is a correction (`revision` of 2 or more) with `score_ms` 0.")
    if result.disqualified and result.qualified:
        raise Refused("A `disqualified` result is not `qualified`: send `qualified` false with it.")
    if not result.qualified and result.score_ms != 0:
        raise Refused(f"The result is not `qualified`, and its `score_ms` is {result.score_ms}: it must be 0.")
    if not 0 <= result.finished_utc_ns < _LAST_UTC_NS:
        raise Refused("The result's `finished_utc_ns` is not a time in nanoseconds since 1970, before 2262.")
    _check_evidence(result)


def _check_evidence(result: Result) -> None:
    source = result.evidence
    # Two results are tied that their uncertainties cannot tell apart: one as long as a lap would be tied with all.
    shortest_ns = min((lap.lap_ns for lap in result.laps if lap.valid), default=0)
    if not 0 <= source.uncertainty_ns <= max(shortest_ns, _UNCERTAINTY_NS):
        raise Refused("The result's `evidence.uncertainty_ns` must be 0 or more, and no longer than its shortest lap.")
    if not all(0 <= number < _INT_LIMIT for number in (source.first_seq, source.last_seq)):
        raise Refused("The result's `evidence.first_seq` and `evidence.last_seq` are numbers of records, from 0.")
    if not 0 <= source.model_changes < _COUNT_LIMIT:
        raise Refused("The result's `evidence.model_changes` is out of range.")


def check_laps(laps: Sequence[RunLap]) -> None:
    """Check that laps are numbered upwards and hold times and counts that can be. Raises Refused."""
    last_number, last_ns = 0, -_INT_LIMIT
    for lap in laps:
        if not last_number < lap.number < 2**31:
            raise Refused(f"Lap {lap.number} is out of order: laps are numbered upwards from 1.")
        # A lap over a restart of the station has no time: 0, and void.
        min_ns = 1 if lap.valid else 0
        if not min_ns <= lap.lap_ns < _DURATION_LIMIT_NS or not -_INT_LIMIT <= lap.ended_ns < _INT_LIMIT:
            raise Refused(f"Lap {lap.number} has a time that is out of range.")
        counts = (lap.off_tracks, lap.collisions, lap.resets)
        if any(not 0 <= count < _COUNT_LIMIT for count in counts) or not 0 <= lap.penalty_ns < _DURATION_LIMIT_NS:
            raise Refused(f"Lap {lap.number} has an off-track, collision, reset or penalty count that is out of range.")
        # A lap over a restart of the station ends by another clock; it is void.
        if lap.valid and lap.ended_ns < last_ns:
            raise Refused(f"Lap {lap.number} ended before the lap before it (`ended_ns`).")
        last_number, last_ns = lap.number, lap.ended_ns
