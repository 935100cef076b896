"""What the machine wrote about its scenarios, as verdicts and as a table. Pure; called by __main__.py.

The machine writes a line of JSON for each check as soon as it is made, and one when a scenario ends. A machine that
hangs or dies leaves what it had written: a scenario without its last line has failed, whatever its checks said.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.metal.scenarios import Boot

NOT_ENDED = "it did not end: the machine hung, died or ran out of time"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a scenario looked at: what, whether it was as it must be, and what was seen."""

    what: str
    is_good: bool
    seen: str


@dataclass(slots=True)
class Verdict:
    """What came of one scenario in one machine. `fault`: why it failed beside its checks, "" if it did not."""

    suite: str
    scenario: str
    took_s: float = 0.0
    fault: str = NOT_ENDED
    checks: list[Check] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """A scenario is good if it ended as it should and nothing that it looked at was wrong."""
        return not self.fault and all(check.is_good for check in self.checks)


def verdicts_of(boot: Boot, lines: Iterable[str]) -> list[Verdict]:
    """A verdict for each scenario of the boot, from what its machine wrote; a line that was cut is ignored."""
    found = {each.name: Verdict(boot.suite.name, each.name) for each in boot.scenarios}
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue  # the last line of a machine that died
        verdict = found.get(record["scenario"])
        if verdict is None:
            continue
        if "exit_code" in record:
            verdict.took_s = record["took_s"]
            verdict.fault = _fault(record)
        else:
            verdict.checks.append(Check(record["what"], record["is_good"], record["seen"]))
    for verdict in found.values():
        if not verdict.fault and not verdict.checks:
            verdict.fault = "it ended well, but looked at nothing"
    return list(found.values())


def _fault(record: dict[str, object]) -> str:
    if record["exit_code"] is None:
        return f"it took longer than its {record['limit_s']} s"
    return "" if record["exit_code"] == 0 else f"it ended with exit code {record['exit_code']}: {record['last_line']}"


def table(verdicts: Sequence[Verdict]) -> str:
    """All that was tried, as a table of Markdown: a row for each check."""
    rows = ["| machine | scenario | what | seen | |", "|---|---|---|---|---|"]
    for verdict in verdicts:
        where = f"| {verdict.suite} | {verdict.scenario} "
        rows += [
            f"{where}| {_cell(check.what)} | {_cell(check.seen)} | {'ok' if check.is_good else '**FAILED**'} |"
            for check in verdict.checks
        ]
        if verdict.fault:
            rows.append(f"{where}| the scenario | {_cell(verdict.fault)} | **FAILED** |")
        else:
            rows.append(
                f"{where}| the scenario | {verdict.took_s:.0f} s | {'ok' if verdict.is_good else '**FAILED**'} |"
            )
    return "\n".join(rows)


def _cell(said: str) -> str:
    return " ".join(said.split()).replace("|", "/")


def summary(verdicts: Sequence[Verdict]) -> str:
    """A line for each scenario, for the terminal."""
    return "\n".join(
        f"{'ok    ' if each.is_good else 'FAILED'} {each.suite} {each.scenario:<9} {each.took_s:5.0f} s  {_short(each)}"
        for each in verdicts
    )


def _short(verdict: Verdict) -> str:
    bad = [f"{check.what}: {check.seen}" for check in verdict.checks if not check.is_good]
    if verdict.fault:
        bad.append(verdict.fault)
    return _cell("; ".join(bad)) if bad else f"{len(verdict.checks)} checks"
