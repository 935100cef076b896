"""The model that each car reports: results name it, and at the start the entry is compared with it. Pure.

Called by set_up.py for each report and by orders.py at a start. A model that was typed in is only the entry's; a run
whose car reports nothing has no model, and neither has its result.
"""

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.run import Run

SHOWN = 12  # digits of a hash that a person compares


class ReportedModels:
    """The model that each connected car last reported."""

    def __init__(self) -> None:
        self._by_car: dict[str, tuple[str, str]] = {}

    def restart(self) -> None:
        """Forgets all reports at a start of the station: cars that are present report again."""
        self._by_car.clear()

    def of(self, car: str) -> tuple[str, str] | None:
        """The name and the hash of the model that the car reports; None: it reports nothing."""
        return self._by_car.get(car)

    def on_report(self, report: e.CarModel, on_track: list[Run]) -> list[f.Fact]:
        """A car reports its model, or has left; returns the facts, none if nothing changed."""
        reported = (report.model, report.model_sha256) if report.online else None
        if reported == self._by_car.get(report.car):
            return []
        if reported is None:
            del self._by_car[report.car]
            return [f.ModelReported(report.car, False, "", "")]
        self._by_car[report.car] = reported
        facts: list[f.Fact] = [f.ModelReported(report.car, True, *reported)]
        for run in on_track:
            if run.car == report.car and run.released and run.race.officiating:
                facts += record_model(run, reported)
        return facts

    def check_at_start(self, run: Run) -> list[f.Fact]:
        """At the start: the fact of the model that drives the run. Raises Refused if the entry names another one."""
        self.check_entry(run)
        reported = self.of(run.car)
        return [] if run.race.officiating == 0 or reported is None else record_model(run, reported)

    def check_entry(self, run: Run) -> None:
        """Raises Refused if the run's car reports another model than the entry's."""
        reported = self.of(run.car)
        if run.race.officiating and reported is not None and not matches_entry(run, reported):
            raise Refused(
                text(
                    "{car} reports {what}, {racer}'s entry says {words}: load that model on the car, or enter the "
                    "one that it has, with a reason (`enter_model`).",
                    car=run.car,
                    what=shown(*reported),
                    racer=run.racer,
                    words=shown(run.model, run.model_sha256),
                )
            )


def record_model(run: Run, reported: tuple[str, str]) -> list[f.Fact]:
    """Records the model that the run's car reports; a change in the middle of the run is a fact of its own."""
    was = run.driven
    if was == reported:
        return []
    if was is None:
        run.driven = reported
        return [f.RunModel(run.run_id, run.car, *reported)]
    run.driven = reported
    run.model_changes += 1
    return [f.RunModel(run.run_id, run.car, *reported, True, *was)]


def matches_entry(run: Run, reported: tuple[str, str]) -> bool:
    """Whether the model (name, hash) is the entry's: by hash if both have one; an entry without a model accepts any."""
    if run.model_sha256 and reported[1]:
        return run.model_sha256.lower() == reported[1].lower()
    return not run.model or run.model.strip().casefold() == reported[0].strip().casefold()


def shown(model: str, sha256: str) -> str:
    """The model's name and short hash, for a sentence."""
    if not model and not sha256:
        return text("no model")
    return text("the model {model}", model=model or "without a name") + (f" ({sha256[:SHOWN]})" if sha256 else "")


def enter(run: Run, command: e.EnterModel) -> list[f.Fact]:
    """Changes the entry's model: a ruling with author and reason. Raises Refused."""
    model, sha256 = command.model.strip(), command.model_sha256.strip().lower()
    if not command.reason.strip():
        raise Refused(text("Another model than the entry's needs a `reason`: it goes into the record."))
    if len(model) > 200 or not model.isprintable():
        raise Refused(text("A model's name has up to 200 printable characters."))
    if sha256 and (len(sha256) != 64 or any(sign not in "0123456789abcdef" for sign in sha256)):
        raise Refused(text("`model_sha256` is a SHA-256 of 64 hexadecimal digits, or empty."))
    run.model, run.model_sha256 = model, sha256
    return [f.ModelEntered(run.run_id, model, sha256, command.author, command.reason)]
