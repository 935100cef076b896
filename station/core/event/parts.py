"""What the event's commands work on: the records on file, the races of the timing state, and the transponders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.attribution import Attribution
from station.core.event.event_book import EventBook
from station.core.race.race import Race
from station.core.runs.run import Run


@dataclass(frozen=True, slots=True)
class EventParts:
    """`races`: those that were opened, by id. `assign` gives a transponder an owner, which may change runs."""

    book: EventBook
    races: Mapping[str, Race]
    attribution: Attribution
    assign: Callable[[e.AssignTransponder], list[f.Fact]]

    def run_on(self, racer: str) -> Run | None:
        """The racer's run on the track; None: there is none."""
        for race in self.races.values():
            spelled = race.spellings.known(racer)
            for run in race.on_track:
                if run.racer == spelled:
                    return run
        return None

    def raced(self, racer: str) -> bool:
        """Whether the racer has a run in any race."""
        return any(
            spelled is not None and race.registry.has_runs(spelled)
            for race in self.races.values()
            for spelled in [race.spellings.known(racer)]
        )

    def check_off_track(self, racer: str) -> None:
        """Raises Refused while the racer is on the track."""
        if (run := self.run_on(racer)) is not None:
            raise Refused(
                text("{racer} is on the track in {run}: change this when the run is over.", racer=racer, run=run.run_id)
            )

    def check_not_official(self, was: str, racer: str) -> None:
        """Raises Refused if another name for `was` would change official results."""
        for race in self.races.values():
            card, spelled = self.book.races.get(race.info.race_id), race.spellings.known(was)
            if spelled is None or spelled == racer or not race.registry.has_runs(spelled):
                continue
            official = any(run.official for run in race.registry.runs_of(spelled))
            if official or (card is not None and card.state == "official"):
                raise Refused(
                    text(
                        "Results of {racer} in {race} are official: open them again first.",
                        racer=spelled,
                        race=race.info.name,
                    )
                )

    def check_no_run(self) -> None:
        """Raises Refused while a run is on in any race."""
        for race in self.races.values():
            if race.on:
                raise Refused(text("A run of {race} is on: do this when it is over.", race=race.info.name))
