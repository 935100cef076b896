"""Steps of the plan that begin a role's data: the leaderboard's secrets, and the car's first model."""

import os
import shutil
from dataclasses import dataclass

from raceday.install.machine import Machine
from raceday.install.releases.release import CURRENT, OPT
from raceday.install.steps import Effect, StaysForGood
from shared.errors import OperatorError


@dataclass(frozen=True, slots=True)
class MakeSecrets(StaysForGood):
    """The leaderboard's secrets, by its own command and as its own user. They stay when all else is removed."""

    config: str
    folder: str
    effects: frozenset[Effect] = frozenset()

    def description(self) -> str:
        return f"make the leaderboard's secrets in {self.folder}"

    def is_done(self, machine: Machine) -> bool:
        return machine.path(f"{self.folder}/admin.token").exists()

    def do(self, machine: Machine) -> None:
        words = [f"{OPT}/bin/raceday", "leaderboard", "init", "--config", self.config, "--station", "station-1"]
        machine.run(words, "making the leaderboard's secrets", user="raceday")


@dataclass(frozen=True, slots=True)
class CopyDemoModel(StaysForGood):
    """The demo model of the release, as the car's first: a car without a model does not start."""

    target: str
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"copy the demo model to {self.target}"

    def is_done(self, machine: Machine) -> bool:
        return machine.path(self.target).exists()

    def do(self, machine: Machine) -> None:
        pattern = "lib/python3.*/site-packages/simulator/data/models/demo"
        source = next(iter(machine.path(CURRENT).resolve().glob(pattern)), None)
        if source is None:
            raise OperatorError("the release holds no demo model: install Raceday anew, its files are not whole.")
        target = machine.path(self.target)
        begun = target.with_name(f".{target.name}.new")  # a copy that is cut off must not count as the model
        machine.remove(f"{self.target.rpartition('/')[0]}/{begun.name}")
        shutil.copytree(source, begun)
        for folder, _folders, files in os.walk(begun, topdown=False):
            for name in files:
                machine.give(begun / folder / name, "raceday", "", 0o600)
            machine.give(begun / folder, "raceday", "", 0o700)
        begun.rename(target)
