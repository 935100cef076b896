"""What is on file of a campaign that runs or ran: run/bench/NAME.json, written anew after each part.

So a campaign that was cut off (a night, a power cut) goes on where it was: `--resume`. Called by runner.py, and by
bench/figures_line.py, which reads the finished ones.
"""

import json
import os
import pathlib
import subprocess
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bench.campaigns.campaign import Campaign, PartOutcome, failures, spread_of, totals_of
from bench.report import OUT, machine
from shared.errors import BadInput

ROOT = pathlib.Path(__file__).parents[2]
# A campaign may go on at another commit if none of these changed.
_PRODUCT = (
    "shared",
    "station",
    "vehicle",
    "leaderboard",
    "simulator",
    "raceday",
    "tests",
    "bench",
    "requirements.lock",
)


@dataclass(frozen=True, slots=True)
class DonePart:
    """A part that was run: what it counted, how long it took, and the load of the machine at its end (one minute)."""

    name: str
    counts: dict[str, int]
    times: dict[str, list[float]]
    broken: tuple[str, ...]
    ran_s: float
    load: float
    commit: str

    @property
    def outcome(self) -> PartOutcome:
        return PartOutcome(self.counts, self.times, self.broken)


@dataclass(slots=True)
class CampaignRecord:
    """All parts that were run, in how many sittings, and since when."""

    bench: str
    seed: int
    quick: bool
    planned: int
    begun_utc: str
    sittings: int = 1
    done: list[DonePart] = field(default_factory=list)

    @property
    def ran_s(self) -> float:
        return sum(part.ran_s for part in self.done)

    def left_of(self, campaign: Campaign) -> list[str]:
        """The names of the parts that were not run yet."""
        names = {part.name for part in self.done}
        return [part.name for part in campaign.parts if part.name not in names]

    def document(self, campaign: Campaign) -> dict[str, Any]:
        """The file's content: the summary first, all parts last."""
        totals = totals_of(part.outcome for part in self.done)
        finished = not self.left_of(campaign)
        loads = [part.load for part in self.done]
        why = failures(campaign, totals) if finished else totals.broken
        return {
            "bench": self.bench,
            "title": campaign.title,
            "finished": finished,
            "clean": finished and not why,
            "why_not": why,
            "trials": campaign.trials,
            "planned": self.planned,
            "seed": self.seed,
            "quick": self.quick,
            "commits": sorted({part.commit for part in self.done}),
            "begun_utc": self.begun_utc,
            "ran_s": round(self.ran_s, 1),
            "sittings": self.sittings,
            "load": {"least": min(loads), "mean": sum(loads) / len(loads), "most": max(loads)} if loads else {},
            "machine": machine(),
            "counts": dict(sorted(totals.counts.items())),
            "times": {name: asdict(spread_of(values)) for name, values in totals.times.items() if values},
            "parts": [asdict(part) for part in self.done],
        }

    def save(self, campaign: Campaign) -> None:
        """Written beside the file and renamed, so that a cut leaves the old one."""
        OUT.mkdir(parents=True, exist_ok=True)
        path, fresh = file_of(self.bench), OUT / f".{self.bench}.new"
        with fresh.open("w") as file:
            file.write(json.dumps(self.document(campaign), indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)


_PARTS = TypeAdapter(list[DonePart])


def file_of(bench: str) -> pathlib.Path:
    return OUT / f"{bench}.json"


def read_record(campaign: Campaign, quick: bool) -> CampaignRecord | None:
    """What is on file of this campaign, to go on with; None if nothing is.

    Raises BadInput if the file is of another campaign, seed, size or code: counts of both would not be one run.
    """
    path = file_of(campaign.name)
    if not path.exists():
        return None
    anew = f"Start it anew without --resume, or keep the file {path} elsewhere."
    try:
        found = json.loads(path.read_text())
        parts = _PARTS.validate_python(found["parts"])
        record = CampaignRecord(
            found["bench"],
            found["seed"],
            found["quick"],
            found["planned"],
            found["begun_utc"],
            found["sittings"] + 1,
            parts,
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        raise BadInput(f"{path} is not the record of a campaign. {anew}") from None
    if (record.seed, record.quick, record.planned) != (campaign.seed, quick, campaign.planned):
        raise BadInput(f"{path} is of another size or seed. {anew}")
    if any(_differs(commit) for commit in {part.commit for part in parts}):
        raise BadInput(f"{path} was begun with other code than this, or with changes in no commit. {anew}")
    return record


def commit() -> str:
    """The commit that is run, with `+` if what runs was changed since; empty outside of a repository."""
    done = _git("rev-parse", "--short=12", "HEAD")
    if done.returncode:
        return ""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", *_PRODUCT).stdout.strip()
    return done.stdout.strip() + ("+" if changed else "")


def _differs(other: str) -> bool:
    """Whether the code of that commit is other than what would run now; of what is in no commit nobody knows."""
    here = commit()
    if "+" in other + here:
        return True
    return other != here and bool(_git("diff", "--quiet", other, "HEAD", "--", *_PRODUCT).returncode)


def _git(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
