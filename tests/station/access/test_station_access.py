"""Claim, sign-in, pairing and sessions on virtual time: who gets in, for how long, and who has to wait."""

import pathlib
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.short_codes import ALPHABET, normalised
from shared.access.throttle import FREE_TRIES, MAX_WAIT_S, RESET_S, Failures
from shared.access.tokens import token_hash
from shared.errors import BadInput, Refused
from station.access.access_state import AccessState, TooManyTries
from station.access.access_store import ACCESS, AccessStore
from station.access.claim_code import ClaimCodeFile
from station.access.identity import VISITOR, Identity
from station.access.pass_codes import pass_code_kind
from station.access.people_and_devices import PAIRING_S
from station.access.roles import Role, role_of_word
from station.access.settings import AccessOptions
from station.access.station_access import OpenedSession, StationAccess
from station.access.tokens import ShownTokens
from tests.station.web.signed_in import CHEAP

PIN, ADMIN_PIN = "2846", "482913"
HERE, THERE = "10.0.0.5", "10.0.0.6"


@dataclass
class Hall:
    """A station's access on a clock that the test moves."""

    folder: pathlib.Path
    now_s: float = 1_790_000_000.0

    def __post_init__(self) -> None:
        self.access = self.opened()

    def opened(self) -> StationAccess:
        state = AccessState(AccessStore(self.folder / ACCESS), AccessOptions().limits, lambda: self.now_s)
        return StationAccess(state, ClaimCodeFile(self.folder), CHEAP)

    def restart(self) -> None:
        self.access.close()
        self.access = self.opened()

    def claimed(self) -> OpenedSession:
        return self.access.claim(self.access.claim_code_to_show(), "Ada", ADMIN_PIN, "Laptop", HERE)

    def who(self, opened: OpenedSession) -> Identity:
        return self.access.identify(ShownTokens(session=opened.session))

    def tablet(self, role: Role = Role.REFEREE) -> ShownTokens:
        offer = self.access.people.offer_pairing(Identity("Ada", Role.ADMIN), "Tablet", "tablet", role)
        return ShownTokens(device=self.access.people.pair(offer.code, ShownTokens(), HERE))


@pytest.fixture
def hall(tmp_path: pathlib.Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.access.close()


def test_the_first_admin_claims_the_station_and_the_code_dies(hall: Hall) -> None:
    code = hall.access.claim_code_to_show()
    assert (hall.folder / "claim-code").read_text().strip() == code
    assert stat.S_IMODE((hall.folder / "claim-code").stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in hall.folder.glob(f"{ACCESS}*")} == {0o600}
    opened = hall.access.claim(code.lower().replace("-", " "), "Ada", ADMIN_PIN, "Laptop", HERE)
    assert hall.who(opened) == Identity("Ada", Role.ADMIN, "Laptop", hall.who(opened).session, Role.ADMIN)
    assert hall.access.claimed
    assert (hall.access.may_be_claimed, hall.access.claim_code_to_show()) == (False, "")
    with pytest.raises(Refused, match="not the station's claim code"):
        hall.access.claim(code, "Mallory", ADMIN_PIN, "x", HERE)


def test_an_admin_who_lost_his_pin_claims_anew(hall: Hall) -> None:
    hall.claimed()
    code = hall.access.renew_claim_code("the command line")
    hall.access.claim(code, "ADA", "new passphrase", "Laptop", HERE)
    assert [(each.name, each.code_kind) for each in hall.access.people.people()] == [("ADA", "passphrase")]
    assert [each.name for each in hall.access.people.devices()] == ["Laptop", "Laptop 2"]


def test_a_pin_opens_a_session_on_a_paired_device_only(hall: Hall) -> None:
    hall.claimed()
    hall.access.people.add_person(VISITOR, "Grace", Role.OPERATOR, PIN)
    tablet = hall.tablet()
    opened = hall.access.sign_in("grace", PIN, tablet, HERE)
    identity = hall.who(opened)
    assert (identity.person, identity.role, identity.device) == ("Grace", Role.REFEREE, "Tablet")  # as the tablet may
    with pytest.raises(Refused, match="only a passphrase opens a session"):
        hall.access.sign_in("Grace", PIN, ShownTokens(), HERE)


def test_signing_in_makes_a_new_session_and_ends_the_old_one(hall: Hall) -> None:
    hall.claimed()
    hall.access.people.add_person(VISITOR, "Grace", Role.REFEREE, PIN)
    tablet = hall.tablet()
    planted = "p" * 43  # a token that somebody else put into the browser
    first = hall.access.sign_in("Grace", PIN, ShownTokens(session=planted, device=tablet.device), HERE)
    assert first.session != planted
    assert hall.access.identify(ShownTokens(session=planted)) == VISITOR
    second = hall.access.sign_in("Grace", PIN, ShownTokens(first.session, tablet.device), HERE)
    assert hall.who(first) == VISITOR
    assert hall.who(second).person == "Grace"
    hall.access.sign_out(hall.who(second))
    assert hall.who(second) == VISITOR


@pytest.mark.parametrize(
    ("role", "pause_s", "open_"),
    [
        (Role.REFEREE, 4 * 3600 - 1, True),
        (Role.REFEREE, 4 * 3600, False),
        (Role.ADMIN, 2 * 3600 - 1, True),
        (Role.ADMIN, 2 * 3600, False),
        (Role.ADMIN, -10, False),  # the clock was set back
    ],
)
def test_a_session_ends_without_use(hall: Hall, role: Role, pause_s: float, open_: bool) -> None:
    hall.claimed()
    hall.access.people.add_person(VISITOR, "Grace", role, "a long passphrase")
    opened = hall.access.sign_in("Grace", "a long passphrase", ShownTokens(), HERE)
    hall.now_s += pause_s
    assert (hall.who(opened).person == "Grace") == open_


def test_a_session_ends_at_last_however_it_is_used(hall: Hall) -> None:
    opened = hall.claimed()
    hours = 0
    while hall.who(opened).session:
        hall.now_s += 3600
        hours += 1
    assert hours == 16


def test_sessions_devices_and_last_use_survive_a_restart(hall: Hall) -> None:
    opened = hall.claimed()
    hall.now_s += 3600
    assert hall.who(opened).person == "Ada"
    hall.access.state.poll()
    hall.restart()
    hall.now_s += 2 * 3600 - 100  # since its last use, less than an admin's two hours
    assert hall.who(opened).person == "Ada"


def test_a_revoked_device_ends_its_sessions(hall: Hall) -> None:
    hall.claimed()
    hall.access.people.add_person(VISITOR, "Grace", Role.REFEREE, PIN)
    tablet = hall.tablet()
    opened = hall.access.sign_in("Grace", PIN, tablet, HERE)
    identity, changes = hall.who(opened), []
    hall.access.state.listen(lambda: changes.append(hall.access.is_valid(identity)))
    assert hall.access.is_valid(identity)
    [device] = [each for each in hall.access.people.devices() if each.name == "Tablet"]
    hall.access.people.revoke_device(Identity("Ada", Role.ADMIN), device.id)
    assert changes == [False]
    assert hall.who(opened) == VISITOR
    assert not hall.access.identify(tablet).may_stop


def test_another_process_is_noticed(hall: Hall) -> None:
    other = hall.opened()
    token = other.people.make_token("the command line", "crew", Role.OPERATOR)
    assert hall.access.identify(ShownTokens(bearer=token)) == VISITOR
    hall.access.state.poll()
    assert hall.access.identify(ShownTokens(bearer=token)).role is Role.OPERATOR
    assert hall.access.identify(ShownTokens(device=token)) == VISITOR  # a script's token is no cookie
    other.close()


def test_many_wrong_pins_have_to_wait_but_nobody_else(hall: Hall) -> None:
    hall.claimed()
    hall.access.people.add_person(VISITOR, "Grace", Role.REFEREE, PIN)
    tablet = hall.tablet()
    for _ in range(FREE_TRIES):
        with pytest.raises(Refused, match="not the PIN"):
            hall.access.sign_in("Grace", "0000", tablet, HERE)
    with pytest.raises(TooManyTries, match="wait"):
        hall.access.sign_in("Grace", PIN, tablet, HERE)
    hall.restart()  # which forgets no failures
    with pytest.raises(TooManyTries):
        hall.access.sign_in("Grace", PIN, tablet, HERE)
    assert hall.access.sign_in("Ada", ADMIN_PIN, tablet, HERE).session  # another person on the same tablet
    hall.now_s += MAX_WAIT_S
    assert hall.access.sign_in("Grace", PIN, tablet, HERE).session


def test_a_stranger_guesses_on_and_on_and_locks_nobody_out(hall: Hall) -> None:
    hall.claimed()
    hall.access.people.add_person(VISITOR, "Grace", Role.REFEREE, PIN)
    tablet, compared = hall.tablet(), 0
    for _ in range(240):  # a try every 20 s from one address
        try:
            hall.access.sign_in("Grace", f"guess {compared}", ShownTokens(), THERE)
        except TooManyTries:
            pass
        except Refused:
            compared += 1
        hall.now_s += 20
    assert compared < 100
    assert hall.access.sign_in("Grace", PIN, tablet, THERE).session  # the tablet, from the same address


def test_a_wrong_try_is_counted_before_it_is_compared(hall: Hall) -> None:
    """Many tries at the same time count too."""
    for _ in range(FREE_TRIES):
        hall.access.state.begin_try(("claim x",))
    with pytest.raises(TooManyTries):
        hall.access.state.begin_try(("claim x",))


@given(st.lists(st.integers(0, 120), max_size=30))
def test_the_wait_grows_to_a_minute_and_ends(pauses_s: list[int]) -> None:
    failures, now_s = Failures(), 1000.0
    for pause_s in pauses_s:
        now_s += pause_s
        failures = failures.after_failure(now_s)
        assert 0 <= failures.wait_s(now_s) <= MAX_WAIT_S
        assert (failures.wait_s(now_s) > 0) == (failures.count >= FREE_TRIES)
        assert failures.wait_s(now_s + MAX_WAIT_S) == 0
        assert failures.wait_s(now_s + RESET_S) == 0


def test_a_pairing_code_is_good_once_and_for_ten_minutes(hall: Hall) -> None:
    people, ada = hall.access.people, Identity("Ada", Role.OPERATOR)
    offer = people.offer_pairing(ada, "Tablet", "tablet", Role.REFEREE)
    people.pair(offer.code.lower(), ShownTokens(), HERE)
    with pytest.raises(Refused, match="wrong or has expired"):
        people.pair(offer.code, ShownTokens(), HERE)
    late = people.offer_pairing(ada, "Phone", "phone", Role.REFEREE)
    hall.now_s += PAIRING_S
    with pytest.raises(Refused, match="wrong or has expired"):
        people.pair(late.code, ShownTokens(), HERE)
    with pytest.raises(Refused, match="up to your own role"):
        people.offer_pairing(ada, "Other", "phone", Role.ADMIN)
    with pytest.raises(Refused, match="paired already"):
        people.offer_pairing(ada, "TABLET", "phone", Role.REFEREE)


def test_a_browser_that_is_paired_anew_loses_its_old_pairing(hall: Hall) -> None:
    old = hall.tablet()
    offer = hall.access.people.offer_pairing(Identity("Ada", Role.ADMIN), "Second", "tablet", Role.OPERATOR)
    hall.access.people.pair(offer.code, old, HERE)
    assert [each.name for each in hall.access.people.devices()] == ["Second"]
    assert hall.access.identify(old) == VISITOR


def test_the_last_admin_stays(hall: Hall) -> None:
    hall.claimed()
    [ada] = hall.access.people.people()
    with pytest.raises(Refused, match="the only admin"):
        hall.access.people.remove_person(VISITOR, ada.id)
    with pytest.raises(Refused, match="the only admin"):
        hall.access.people.change_person(VISITOR, ada.id, Role.OPERATOR)
    hall.access.people.add_person(VISITOR, "Grace", Role.ADMIN, ADMIN_PIN)
    hall.access.people.remove_person(VISITOR, ada.id)
    assert [each.name for each in hall.access.people.people()] == ["Grace"]


def test_names_are_unique_however_they_are_spelled(hall: Hall) -> None:
    people = hall.access.people
    people.add_person(VISITOR, "Grace Hopper", Role.REFEREE, PIN)
    people.make_token("x", "crew", Role.OPERATOR)
    for name in ("grace  HOPPER", "Ｇｒａｃｅ Hopper", "Crew"):
        with pytest.raises(Refused, match="already"):
            people.add_person(VISITOR, name, Role.REFEREE, PIN)


def test_a_pin_is_confirmed_for_what_needs_it(hall: Hall) -> None:
    session = hall.who(hall.claimed()).session
    hall.access.confirm_pin(session, ADMIN_PIN)
    for _ in range(FREE_TRIES):
        with pytest.raises(Refused, match="not the PIN or passphrase of Ada"):
            hall.access.confirm_pin(session, "000000")
    with pytest.raises(TooManyTries):
        hall.access.confirm_pin(session, ADMIN_PIN)
    with pytest.raises(Refused, match="Sign in first"):
        hall.access.confirm_pin("", ADMIN_PIN)


def test_everything_is_logged_and_no_secret_is_stored(hall: Hall) -> None:
    opened = hall.claimed()
    hall.access.people.add_person(hall.who(opened), "Grace", Role.REFEREE, PIN)
    tablet = hall.tablet()
    session = hall.access.sign_in("Grace", PIN, tablet, HERE).session
    with pytest.raises(Refused):
        hall.access.sign_in("Nobody", "x" * 9, ShownTokens(), HERE)
    events = [(event.deed, event.person, event.device, event.subject) for _, event in hall.access.state.events()]
    assert events == [
        ("claimed", "Ada", "Laptop", ""),
        ("signed_in", "Ada", "Laptop", ""),
        ("person_added", "Ada", "Laptop", "Grace"),
        ("pairing_offered", "Ada", "", "Tablet"),
        ("paired", "Ada", "Tablet", "tablet"),
        ("signed_in", "Grace", "Tablet", ""),
        ("sign_in_failed", "", "", HERE),
    ]
    hall.access.close()
    stored = b"".join(path.read_bytes() for path in hall.folder.glob(f"{ACCESS}*"))
    assert token_hash(session).encode() in stored
    for secret in (session, tablet.device, opened.session, ADMIN_PIN):
        assert secret.encode() not in stored
    with sqlite3.connect(hall.folder / ACCESS) as db, pytest.raises(sqlite3.IntegrityError, match="append only"):
        db.execute("DELETE FROM event")
    db.close()
    hall.access = hall.opened()


@pytest.mark.parametrize(
    ("code", "role", "kind"),
    [
        ("2846", Role.REFEREE, "pin"),
        ("2846", Role.ADMIN, None),
        ("482913", Role.ADMIN, "pin"),
        ("284", Role.REFEREE, None),
        ("1234", Role.REFEREE, None),
        ("7777", Role.REFEREE, None),
        ("9" * 13, Role.REFEREE, None),
        ("correct horse", Role.ADMIN, "passphrase"),
        ("short", Role.REFEREE, None),
        ("aaaaaaaaaa", Role.REFEREE, None),
        ("x" * 129, Role.REFEREE, None),
        ("٢٨٤٦", Role.REFEREE, None),
    ],
)
def test_what_is_a_good_pin_or_passphrase(code: str, role: Role, kind: str | None) -> None:
    if kind is None:
        with pytest.raises(BadInput):
            pass_code_kind(code, role)
    else:
        assert pass_code_kind(code, role) == kind


@given(st.text(max_size=200), st.sampled_from(Role))
def test_any_text_is_a_pin_a_passphrase_or_refused_in_one_sentence(code: str, role: Role) -> None:
    sentence = "."
    try:
        assert pass_code_kind(code, role) in ("pin", "passphrase")
    except BadInput as refused:
        sentence = str(refused)
    assert sentence.endswith(".")


@given(st.text(max_size=60))
def test_a_code_is_read_from_whatever_is_typed(typed: str) -> None:
    read = normalised(typed)
    assert set(read) <= set(ALPHABET)
    assert normalised(read) == read


def test_the_words_of_the_roles() -> None:
    assert [role_of_word(role.word) for role in Role] == list(Role)
    with pytest.raises(BadInput, match="viewer, racer, referee, operator, admin"):
        role_of_word("owner")
