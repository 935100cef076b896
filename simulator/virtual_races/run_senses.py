"""What the models of runs sense, each by its own sensors: a grey picture, or whatever else its metadata asks for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.batch.sensing import Senses
from simulator.batch.vector import BatchWorlds
from simulator.virtual_races.entrant import AnyEntrant, Chosen, SensingModel
from vehicle.models.metadata import HEIGHT, WIDTH


class RunSenses:
    """The senses of all runs of a batch, run `n` with model `n`."""

    def __init__(self, worlds: BatchWorlds, models: Sequence[AnyEntrant]) -> None:
        self._worlds, self._models = worlds, models
        self._pictures: NDArray[np.uint8] = np.zeros((len(models), HEIGHT, WIDTH), np.uint8)
        self._senses: dict[int, tuple[SensingModel, Senses]] = {}  # of the runs whose model has other sensors
        kinds: dict[int, Senses] = {}
        for run, model in enumerate(models):
            if isinstance(model, SensingModel):
                if id(model) not in kinds:
                    kinds[id(model)] = Senses(worlds, model.sensors)
                self._senses[run] = model, kinds[id(model)]

    def look(self, runs: Sequence[int]) -> None:
        """Take what the sensors of these runs deliver now."""
        self._worlds.render(self._pictures, [run for run in runs if run not in self._senses])
        for senses in {id(each): each for _, each in self._senses.values()}.values():
            members = [run for run in runs if run in self._senses and self._senses[run][1] is senses]
            senses.look(np.array(members, np.int64))

    def ask(self, run: int) -> Chosen:
        """What the run's model chooses. Raises BadInput if it does not answer with finite numbers."""
        if run in self._senses:
            sensing, senses = self._senses[run]
            return sensing.choose_by(*senses.of(run))
        model = self._models[run]
        assert not isinstance(model, SensingModel), "its senses were made"
        return model.choose(self._pictures[run])
