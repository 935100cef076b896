"""Rows of the audit as every page shows them."""

from leaderboard.pages.audit_view import CHANGES_SHOWN, audit_views
from leaderboard.store.audit import AuditRow


def test_each_value_that_differs_is_shown_shortened_with_who_did_it_and_when() -> None:
    before, after = {"name": "Cup", "rules": {"laps": 3}}, {"name": "x" * 61, "rules": {"laps": 2}, "zone": "y" * 60}
    at_utc_ns = 1_700_000_000 * 10**9
    row = AuditRow(1, at_utc_ns, "account-1", "olga", "race.edit", "cup", "", "race:cup", before, after, "late")
    by_program = AuditRow(2, at_utc_ns, "key:rk", "", "race.edit", "cup", "", "race:cup", {}, {}, "")
    person, program = audit_views([row, by_program], longest=60)
    assert (person.at, person.at_text) == ("2023-11-14T22:13:20Z", "2023-11-14 22:13 UTC")
    assert (person.who, person.what, person.subject, person.why) == ("olga", "race.edit", "race:cup", "late")
    assert person.changes == (("name", "Cup", "x" * 59 + "…"), ("rules.laps", "3", "2"), ("zone", "", "y" * 60))
    assert (program.who, program.changes) == ("key:rk", ())


def test_of_an_act_with_thousands_of_values_the_first_are_shown_and_the_rest_is_counted() -> None:
    queue = {f"turn-{number:04}": {"racer": f"racer {number}"} for number in range(200)}
    row = AuditRow(1, 1, "account-1", "olga", "queue.add", "cup", "", "race:cup", {}, queue, "")
    [shown] = audit_views([row], longest=60)
    assert len(shown.changes) == CHANGES_SHOWN
    assert shown.more == f"and {200 - CHANGES_SHOWN} more values: GET /api/v1/audit"


def test_moments_are_shown_as_times_to_the_second_and_none_as_none() -> None:
    before = {"opens_utc_ns": None, "closes_utc_ns": 1_700_000_000 * 10**9, "entered_ns": 5}
    after = {"opens_utc_ns": 0, "closes_utc_ns": 1_700_000_001 * 10**9, "entered_ns": 6}
    row = AuditRow(1, 1, "account-1", "olga", "race.edit", "cup", "", "race:cup", before, after, "")
    [shown] = audit_views([row], longest=60)
    assert shown.changes == (
        ("closes", "2023-11-14 22:13:20 UTC", "2023-11-14 22:13:21 UTC"),
        ("entered_ns", "5", "6"),
        ("opens", "", "1970-01-01 00:00:00 UTC"),
    )
