"""Findings: what counts against a machine."""

import pytest

from shared.findings import Finding, all_good

GOOD = Finding("clock", True, "it is synchronised.")
OPEN = Finding("Wi-Fi power saving", None, "there is no Wi-Fi here.")
BAD = Finding("disk", False, "it has 3 MB left.", "Free some space.")


@pytest.mark.parametrize(
    ("findings", "is_well"),
    [([], True), ([GOOD], True), ([GOOD, OPEN], True), ([GOOD, BAD, OPEN], False), ([BAD], False)],
)
def test_only_a_bad_finding_counts_against_the_machine(findings: list[Finding], is_well: bool) -> None:
    assert all_good(findings) is is_well
