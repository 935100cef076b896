"""Official results, and disqualified runs: what locks a result, opens it again, and takes a run's score. Pure.

Called by command_handlers.py before any ruling (`check_open`) and by orders.py for the commands themselves.
"""

from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.rulings.commands import Disqualify, Official, Reinstate, ReopenResults
from station.core.runs.phases import INCIDENTS, RULINGS
from station.core.runs.run import Run

# What changes a result, so that official results refuse it.
CHANGES: tuple[type[e.Command], ...] = (*RULINGS, *INCIDENTS, e.AssignTransponder, e.SubmitRun, e.DiscardRun)


def check_open(race: str, run: Run | None, command: e.Command) -> None:
    """Raises Refused if this command would change official results.

    `race`: who declared the race's results official, "" if nobody. `run`: the run that the command is about, if any.
    """
    if race and isinstance(command, (*CHANGES, e.OpenRun)):
        raise Refused(
            text("The results of this race are official, declared by {author}: open them again first.", author=race)
        )
    if run is not None and run.official and isinstance(command, CHANGES):
        raise Refused(
            text(
                "The result of {run} is official, declared by {author}: open it again first.",
                run=run.run_id,
                author=run.official,
            )
        )


def check_people(command: Official | ReopenResults, by_two: bool) -> None:
    """Raises Refused if a reason or a second person is missing."""
    if isinstance(command, ReopenResults) and not command.reason.strip():
        raise Refused(text("To open official results again takes a reason: everybody can read it."))
    if by_two and (not command.confirmed_by.strip() or name_key(command.confirmed_by) == name_key(command.author)):
        raise Refused(text("This race asks for two people: another official must confirm it."))


def declare_run(run: Run, command: Official | ReopenResults) -> list[f.Fact]:
    """Makes the result of one run official, or opens it again; returns the fact. Raises Refused."""
    if run.phase != "finished":
        raise Refused(text("{run} is not over yet: finish it first.", run=run.run_id))
    official = isinstance(command, Official)
    if official == bool(run.official):
        raise Refused(_unchanged(official))
    run.official = command.author if official else ""
    return [declared(run.race.race_id, run.run_id, command)]


def declared(race_id: str, run_id: str, command: Official | ReopenResults) -> f.ResultsOfficial:
    """The fact that results are official, or open again; `run_id` "": those of the whole race."""
    who = (command.author, command.confirmed_by, command.reason)
    return f.ResultsOfficial(race_id, run_id, isinstance(command, Official), *who, command.moment.utc_ns)


def check_changes(official: bool, was: str) -> None:
    """Raises Refused if the results are official already, or open already. `was`: who declared them official."""
    if official == bool(was):
        raise Refused(_unchanged(official))


def disqualify(run: Run, command: Disqualify | Reinstate) -> list[f.Fact]:
    """Takes the run's score away, or gives it back; its laps stay. Returns the fact. Raises Refused."""
    out = isinstance(command, Disqualify)
    if out and not command.reason.strip():
        raise Refused(text("A disqualification takes a reason: it goes into the record."))
    if out == bool(run.disqualified):
        already = text("{run} is disqualified already.", run=run.run_id)
        raise Refused(already if out else text("{run} is not disqualified.", run=run.run_id))
    run.disqualified = command.reason.strip() if out else ""
    return [f.RunDisqualified(run.run_id, out, command.author, command.reason)]


def _unchanged(official: bool) -> str:
    return text("These results are official already.") if official else text("These results are not official.")
