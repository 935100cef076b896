"""What each car says that it drives: what a result names, and what an entry is held against before Start. Pure.

What is typed is the entry's. A run whose car says nothing has no model at all, and its result says that nobody spoke.
"""

from shared.errors import Refused
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.run import Run

SHOWN = 12  # digits of a hash that a person compares


class ReportedModels:
    """By car, as it last spoke."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, str]] = {}

    def restart(self) -> None:
        """The station starts: who is there says it again."""
        self._said.clear()

    def of(self, car: str) -> tuple[str, str] | None:
        """Name and hash; None: nobody speaks for this car."""
        return self._said.get(car)

    def hear(self, told: e.CarModel, on_track: list[Run]) -> list[f.Fact]:
        """A car speaks of its model, or not any more; none if that was known."""
        said = (told.model, told.model_sha256) if told.online else None
        if said == self._said.get(told.car):
            return []
        if said is None:
            del self._said[told.car]
            return [f.ModelReported(told.car, False, "", "")]
        self._said[told.car] = said
        facts: list[f.Fact] = [f.ModelReported(told.car, True, *said)]
        for run in on_track:
            if run.car == told.car and run.released and run.race.officiating:
                facts += drives(run, said)
        return facts

    def started(self, run: Run) -> list[f.Fact]:
        """The start is given: what the run is driven with. Raises Refused where the entry names another model."""
        said = self.of(run.car)
        if run.race.officiating == 0 or said is None:
            return []
        if not entered(run, said):
            raise Refused(
                f"{run.car} reports {shown(*said)}, {run.racer}'s entry says {shown(run.model, run.model_sha256)}: "
                "load that model on the car, or enter the one that it has, with a reason (`enter_model`)."
            )
        return drives(run, said)


def drives(run: Run, said: tuple[str, str]) -> list[f.Fact]:
    """The run's car reports its model; in the middle of a run another one is a fact of its own."""
    was = run.driven
    if was == said:
        return []
    if was is None:
        run.driven = said
        return [f.RunModel(run.run_id, run.car, *said)]
    run.driven = said
    run.model_changes += 1
    return [f.RunModel(run.run_id, run.car, *said, True, *was)]


def entered(run: Run, said: tuple[str, str]) -> bool:
    """Is it the model of the entry? The hash decides where both have one; an entry that names none takes any."""
    if run.model_sha256 and said[1]:
        return run.model_sha256.lower() == said[1].lower()
    return not run.model or run.model.strip().casefold() == said[0].strip().casefold()


def shown(model: str, sha256: str) -> str:
    """A model as a sentence names it."""
    if not model and not sha256:
        return "no model"
    return f"the model {model or 'without a name'}" + (f" ({sha256[:SHOWN]})" if sha256 else "")


def enter(run: Run, command: e.EnterModel) -> list[f.Fact]:
    """The entry is changed: a ruling with its author and reason. Raises Refused."""
    model, sha256 = command.model.strip(), command.model_sha256.strip().lower()
    if not command.reason.strip():
        raise Refused("Another model than the entry's needs a `reason`: it goes into the record.")
    if len(model) > 200 or not model.isprintable():
        raise Refused("A model's name has up to 200 printable characters.")
    if sha256 and (len(sha256) != 64 or any(sign not in "0123456789abcdef" for sign in sha256)):
        raise Refused("`model_sha256` is a SHA-256 of 64 hexadecimal digits, or empty.")
    run.model, run.model_sha256 = model, sha256
    return [f.ModelEntered(run.run_id, model, sha256, command.author, command.reason)]
