"""Steps of the plan for one role alone: the leaderboard's secrets, a car's first model, and a stock car taken over."""

import posixpath
from dataclasses import dataclass

from raceday.install.facts import UNIT_OF
from raceday.install.machine import Machine
from raceday.install.releases.release import CURRENT, OPT
from raceday.install.running import refuse_while_driven
from raceday.install.steps import Effect, StaysForGood
from shared.errors import OperatorError
from vehicle.hardware.stock_software import TAKEN_OVER

OURS = UNIT_OF["car"]


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
        there = f"/{source.relative_to(machine.root)}"
        machine.path(self.target)  # refuses a link on the way
        folder, _, name = self.target.rpartition("/")
        begun = f"{folder}/.{name}.new"  # a copy that is cut off must not count as the model
        # By the service itself: the folder is its own, and root would follow what it lays there meanwhile.
        for words in (
            ["rm", "-rf", begun],
            ["cp", "-r", there, begun],
            ["chmod", "-R", "u=rwX,go=", begun],
            ["sync", "-f", begun],  # nor must files of no bytes, after a power cut
            ["mv", "-T", begun, self.target],
        ):
            machine.run(words, "copying the demo model", user="raceday")


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The stock car's own software stops, and stays off: `raceday vehicle take-over`, which says why it refuses.

    Our own agent ends first, which holds the motors: it starts again with what follows from the steps. It needs a
    machine that runs: in an image nothing drives, and the car is taken over once it has started.
    """

    service: str
    config: str
    outbox: str  # the car's own file, beside which the take-over notes that the service was enabled
    effects: frozenset[Effect] = frozenset({"services"})

    def description(self) -> str:
        return f"take the car over: {self.service} stops, the motors at neutral, and stays off"

    def is_done(self, machine: Machine) -> bool:
        if not machine.is_running:
            return True
        states = ("is-active", "--quiet"), ("is-enabled", "--quiet")
        return all(machine.attempt(["systemctl", *words, f"{self.service}.service"]).returncode for words in states)

    def do(self, machine: Machine) -> None:
        refuse_while_driven(machine, [OURS], force=False)
        has_ended = self._end_ours(machine)
        try:
            self._hand_over(machine, "take-over", f"taking the car over from {self.service}")
        except OperatorError:
            if has_ended:
                machine.attempt(["systemctl", "start", OURS])  # it says itself what is in its way
            raise

    def undo(self, machine: Machine) -> str:
        """Gives the car back, if it was taken over; ours has ended before."""
        was_enabled = posixpath.join(posixpath.dirname(self.outbox), TAKEN_OVER)
        if not machine.is_running or machine.read(was_enabled) is None:
            return ""
        try:
            self._end_ours(machine)
            self._hand_over(machine, "give-back", f"giving the car back to {self.service}")
        except OperatorError as error:
            raise OperatorError(
                f"the car was not given back: {error} Wheels off the ground, then give it back by hand: sudo systemctl "
                f"enable --now {self.service}"
            ) from None
        return f"gave the car back: {self.service} drives it again"

    @staticmethod
    def _end_ours(machine: Machine) -> bool:
        """Ends our agent if it runs, or is tried again and again; did it?"""
        shown = machine.attempt(["systemctl", "show", "--property=ActiveState", "--value", OURS]).stdout.strip()
        if shown in ("", "inactive", "failed"):
            return False
        machine.run(["systemctl", "stop", OURS], f"stopping {OURS}")
        return True

    def _hand_over(self, machine: Machine, direction: str, what: str) -> None:
        machine.run([f"{OPT}/bin/raceday", "vehicle", direction, "--config", self.config], what)
