"""The audit tells what differs, down to single values."""

from leaderboard.store.audit import AuditRow


def test_differences_are_single_values() -> None:
    before = {"name": "Cup", "turn": {"state": "called", "place": 3}, "gone": "x", "laps": [1, 2]}
    after = {"name": "Cup", "turn": {"state": "running", "place": 3}, "new": True, "laps": [1, 3], "of": [{"a": 1}]}
    row = AuditRow(1, 1, "account-a", "a", "live.run", "cup", "", "queue:cup", before, after, "")
    assert row.differences() == (
        ("gone", "x", ""),
        ("laps", "[1, 2]", "[1, 3]"),
        ("new", "", "true"),
        ("of.1.a", "", "1"),
        ("turn.state", "called", "running"),
    )


def test_what_was_not_there_before_is_told_whole() -> None:
    row = AuditRow(1, 1, "admin", "", "race.create", "cup", "", "race:cup", {}, {"rules": {"method": "average"}}, "")
    assert row.differences() == (("rules.method", "", "average"),)
