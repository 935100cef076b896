"""The broker's access rules: the shipped file and the written one say the same, and an organiser's lines stay."""

from raceday.certs.acl_file import LAST, acl_text, names_in, own_lines
from raceday.install.shipped_files import config_text


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_it_says_what_the_shipped_file_says() -> None:
    assert rules(acl_text(["station-1"], ["display"])) == rules(config_text("acl"))


def test_who_is_revoked_is_denied_everything() -> None:
    assert rules(acl_text([], denied=["car-2"]))[-2:] == ["user car-2", "topic deny #"]


def test_an_organisers_own_lines_stay() -> None:
    own = "user bridge\ntopic read raceday/#\n"
    text = acl_text(["station-1"]) + own
    assert own_lines(text) == own
    again = acl_text(["station-1", "station-2"], own_lines=own_lines(text) or "")
    assert again.endswith(f"{LAST}\n{own}")
    assert again.count("user bridge") == 1


def test_a_file_of_another_origin_has_no_such_part() -> None:
    assert own_lines(config_text("acl")) is None
    assert own_lines("") is None


def test_whom_it_names_is_read_back() -> None:
    own = "user bridge\ntopic write raceday/to/#\n"
    text = acl_text(["station-1", "station-2"], ["wall"], ["car-2"], own)
    assert names_in(text) == {"station-1": "station", "station-2": "station", "wall": "display", "car-2": "denied"}
    assert names_in(acl_text([])) == names_in(config_text("acl")) == names_in("") == {}
    # Names that none of ours has: written anew they would be rules that the broker does not start with.
    assert names_in(text.replace("user station-1", "user #").replace("user wall", "user ")).keys() == {
        "station-2",
        "car-2",
    }


def test_a_file_of_a_release_whose_rules_ended_in_a_wildcard_is_read_as_well() -> None:
    rules_before = (
        "user station-1\ntopic deny raceday/cars/station-1/#\ntopic write raceday/to/#\ntopic read raceday/cars/#\n"
    )
    text = acl_text([]).replace(f"\n{LAST}", f"\n{rules_before}\n{LAST}")
    assert names_in(text) == {"station-1": "station"}
