"""The findings of a check as lines for a person and as JSON."""

import json
from collections.abc import Sequence

from station.vendor.probe import ProbeResult

_SIGNS = {"pass": "pass", "fail": "FAIL", "skip": "skip"}


def line(finding: ProbeResult) -> str:
    """One finding: its outcome, its name, the contract's line, and what went wrong below it."""
    probe = finding.probe
    head = f"{_SIGNS[finding.outcome]}  {probe.name:<20} {probe.section}: {probe.line}"
    return head if finding.outcome == "pass" else f"{head}\n      {finding.detail}"


def summary(findings: Sequence[ProbeResult]) -> str:
    """How many probes passed, failed, and were left out."""
    counts = {outcome: sum(each.outcome == outcome for each in findings) for outcome in _SIGNS}
    verdict = "The endpoint keeps the contract" if not counts["fail"] else "The endpoint breaks the contract"
    return f"{verdict}: {counts['pass']} passed, {counts['fail']} failed, {counts['skip']} left out (docs/vendor.md)."


def as_json(url: str, race_id: str, findings: Sequence[ProbeResult]) -> str:
    """All findings as one JSON document."""
    rows = [
        {
            "name": each.probe.name,
            "section": each.probe.section,
            "line": each.probe.line,
            "outcome": each.outcome,
            "detail": each.detail,
        }
        for each in findings
    ]
    return json.dumps({"url": url, "race": race_id, "probes": rows}, indent=2, ensure_ascii=False)
