"""The runs of a race, by id and by racer, and the ids of all runs. Called by orders.py.

Rulings reach back a thousand runs, because memory is limited and a race need not be. Older runs remain in the journal,
and their scores in the standings; a run that holds its racer's place is never evicted.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping

from station.core.runs.run import Run

REACH = 1000  # runs
MAX_DIGITS = 9  # a longer number such as run-99999999999999 was chosen by somebody, and is not counted from


class RunIds:
    """The ids of all runs of the station: none is given twice, in whatever race.

    Stations of the first edition counted race by race: `by_race` while their records replay.
    """

    def __init__(self) -> None:
        self.by_race = False
        self._given: Counter[str] = Counter()
        self._newest = 0

    def new_id(self) -> str:
        """A new id for a run that was opened without one."""
        number = self._newest + 1
        while f"run-{number}" in self._given:
            number += 1
        return f"run-{number}"

    def used(self, run_id: str) -> bool:
        """Whether a run of any race has this id."""
        return run_id in self._given

    def ambiguous(self, run_id: str) -> bool:
        """Whether runs of several races have this id, as was possible in the first edition."""
        return self._given[run_id] > 1

    def add(self, run_id: str) -> None:
        """Records that a run has this id."""
        self._given[run_id] += 1
        number = run_id.removeprefix("run-")
        if number.isdecimal() and len(number) <= MAX_DIGITS:
            self.reached(int(number))

    def reached(self, number: int) -> None:
        """The ids of new runs get higher numbers than this one from now on."""
        self._newest = max(self._newest, number)


class RunRegistry:
    """The runs of one race; `runs` are those that a ruling can name, oldest first."""

    def __init__(self, reach: int = REACH) -> None:
        self.runs: dict[str, Run] = {}
        self._reach = reach
        self._order: deque[str] = deque()  # the order in which runs are evicted
        self._gone: set[str] = set()
        self._spent: Counter[str] = Counter()  # attempts in runs that are gone
        self._past: set[str] = set()  # racers of runs that are gone
        self._by_racer: dict[str, list[Run]] = {}

    def for_trial(self, copies: Mapping[str, Run]) -> "RunRegistry":
        """A copy that holds only these copies of runs, but knows every racer's attempts."""
        trial = RunRegistry(self._reach)
        trial.runs, trial._gone, trial._spent = dict(copies), self._gone, self._spent
        trial._by_racer = {
            racer: [copies.get(run.run_id, run) for run in runs] for racer, runs in self._by_racer.items()
        }
        return trial

    def new_id(self) -> str:
        """A new id for a run that was opened without one, by the first edition's count per race."""
        return f"run-{len(self.runs) + len(self._gone) + 1}"

    def used(self, run_id: str) -> bool:
        """Whether a run of this race has or had this id."""
        return run_id in self.runs or run_id in self._gone

    def gone(self, run_id: str) -> bool:
        """Whether the run was evicted, so that no ruling reaches it."""
        return run_id in self._gone

    def add(self, run: Run) -> None:
        """Adds a run that was opened."""
        self.runs[run.run_id] = run
        self._order.append(run.run_id)
        self._by_racer.setdefault(run.racer, []).append(run)

    def moved(self, run: Run, was: str) -> None:
        """Moves the run to its present racer; `was`: the racer before."""
        self._by_racer[was].remove(run)
        self._by_racer.setdefault(run.racer, []).append(run)

    def racers(self) -> list[str]:
        """All racers with a run here: first those whose runs were evicted, then by their oldest run."""
        return list(dict.fromkeys([*self._spent, *(run.racer for run in self.runs.values())]))

    def of_racer(self, racer: str) -> tuple[Run, ...]:
        """The racer's runs that a ruling can name, oldest first."""
        return tuple(self._by_racer.get(racer, ()))

    def merge(self, was: str, racer: str) -> None:
        """Merges two spellings of one racer: the runs of `was` become those of `racer`."""
        for run in tuple(self._by_racer.get(was, ())):
            run.racer = racer
            self.moved(run, was)
        self._spent[racer] += self._spent.pop(was, 0)
        if was in self._past:
            self._past.remove(was)
            self._past.add(racer)

    def runs_of(self, racer: str) -> list[Run]:
        """The racer's runs that a ruling can name, oldest first."""
        return [run for run in self.runs.values() if run.racer == racer]

    def has_runs(self, racer: str) -> bool:
        """Whether the racer has or had a run here."""
        return bool(self._by_racer.get(racer)) or racer in self._past

    @property
    def out_of_reach(self) -> int:
        """How many runs were evicted."""
        return len(self._gone)

    def attempts(self, racer: str) -> int:
        """How many attempts the racer has used."""
        return self._spent[racer] + sum(1 for run in self._by_racer.get(racer, ()) if run.begun and run.counts)

    def evict(self, spare: Callable[[Run], bool]) -> list[Run]:
        """Removes the runs that are out of reach, except those for which `spare` is true; gives the removed ones."""
        gone: list[Run] = []
        for _ in range(len(self.runs) - self._reach):
            run_id = self._order.popleft()
            run = self.runs[run_id]
            if run.on or spare(run):
                self._order.append(run_id)
                continue
            del self.runs[run_id]
            self._gone.add(run_id)
            self._by_racer[run.racer].remove(run)
            self._spent[run.racer] += run.begun and run.counts
            self._past.add(run.racer)
            gone.append(run)
        return gone
