"""What the station keeps of what it saw: by tables of views, one after another, as they come."""

import datetime as dt
import pathlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from shared.link.options import MqttOptions
from station.access.identity import VISITOR
from station.access.roles import Role
from station.checklists.records import ChecklistFacts, SignInSighting, StationSightings
from station.checklists.register import ChecklistRegister
from station.service.backups.station_backups import StationBackups
from station.service.checklists.checklist_facts import certificates_end, checklist_facts
from station.service.checklists.sightings import GRAIN_NS, HELD_NS, MAX_CARS, sightings_after
from station.service.checklists.watch import ChecklistWatch
from station.views.car_views import CarStopView, StopView
from station.views.gate_views import SensorView
from station.views.procedure_view import ProcedureView, RunProcedure, Submission
from station.views.race_views import RunView
from station.views.trackside.devices import StopButtonView
from station.views.views import View
from tests.station.web.sample_views import CAR, GATE, RUN, SPARE, VIEW, FakeStation, S, lap
from tests.station.web.signed_in import cheap_access, session_of

M = 60 * S
NOTHING = StationSightings()
NO_FACTS = ChecklistFacts()


def at(seconds: float, view: View = VIEW, boot: str = "boot-0") -> View:
    """The view so many seconds later, on the same clocks."""
    later = round(seconds * S)
    clock = replace(VIEW.clock, boot=boot, now_ns=VIEW.clock.now_ns + later, utc_ns=VIEW.clock.utc_ns + later)
    return replace(view, clock=clock)


def after(views: Iterable[View], start: StationSightings = NOTHING) -> StationSightings:
    for view in views:
        start = sightings_after(start, view, NO_FACTS)
    return start


def gate_seen(a_utc_ns: int | None, b_utc_ns: int | None) -> View:
    each = (
        SensorView("beam-a", 1, 0, 1, None, a_utc_ns),
        SensorView("beam-b", 1, 0, 1, None, b_utc_ns),
    )
    return replace(VIEW, gates=(replace(GATE, each=each),))


def test_a_sensor_is_remembered_when_the_station_starts_again() -> None:
    seen = after([gate_seen(S, None)])
    assert (seen.seen("start", "beam-a"), seen.seen("start", "beam-b")) == (S, None)
    restarted = after([replace(VIEW, gates=()), gate_seen(None, None)], seen)  # counts begin anew, and so do stamps
    assert restarted.seen("start", "beam-a") == S
    assert after([gate_seen(S + GRAIN_NS - 1, None)], seen) == seen  # noted once a minute
    assert after([gate_seen(S + GRAIN_NS, 2 * S)], seen).seen("start", "beam-a") == S + GRAIN_NS
    renamed = replace(VIEW, gates=(replace(GATE, name="finish"),))
    assert after([renamed], seen).sensors == ()


def online(names: tuple[str, ...]) -> View:
    return replace(VIEW, cars=tuple(replace(CAR, name=name) for name in names))


def test_ten_minutes_are_held_only_without_a_gap() -> None:
    both, one = online(("car-1", "car-2")), online(("car-1",))
    seen = after([at(0, both), at(599, both)])
    assert [each.held_utc_ns for each in seen.cars] == [None, None]
    seen = after([at(600, one)], seen)
    first, second = seen.cars
    assert (first.held_utc_ns, second.held_utc_ns) == (at(600).clock.utc_ns, None)
    seen = after([at(601, both), at(1200, both)], seen)
    assert seen.cars[1].held_utc_ns is None
    seen = after([at(1201, both)], seen)
    assert seen.cars[1].held_utc_ns == at(1201).clock.utc_ns


def test_a_restart_of_the_station_or_its_machine_begins_the_ten_minutes_anew() -> None:
    one = online(("car-1",))
    seen = after([at(0, one), at(500, replace(VIEW, cars=())), at(501, one), at(1100, one)])
    assert seen.cars[0].held_utc_ns is None
    seen = after([at(0, one), at(700, one, "boot-1")])
    assert seen.cars[0].held_utc_ns is None


def test_a_clock_that_is_set_makes_no_ten_minutes() -> None:
    one = online(("car-1",))
    set_by_an_hour = replace(one, clock=replace(VIEW.clock, utc_ns=VIEW.clock.utc_ns + 3600 * S))
    assert after([one, set_by_an_hour]).cars[0].held_utc_ns is None


def test_names_without_end_are_not_kept_without_end() -> None:
    crowd = [at(n * 61, online((f"car-{n}",))) for n in range(MAX_CARS + 50)]
    assert len(after(crowd).cars) == MAX_CARS


OPEN = "The contact of the stop button at the station is open: somebody pressed it."


@pytest.mark.parametrize(("button", "expected"), [
    (None, None),
    (StopButtonView(), None),
    (StopButtonView(OPEN), VIEW.clock.utc_ns),
    (StopButtonView("The stop button is absent.", absent=True), None),  # stops all cars, and nobody pressed it
])  # fmt: skip
def test_only_an_open_contact_is_a_press(button: StopButtonView | None, expected: int | None) -> None:
    seen = after([replace(VIEW, button=button)])
    assert seen.button_utc_ns == expected
    assert after([at(30, replace(VIEW, button=StopButtonView()))], seen) == seen  # released: it stays known


def stopped(*outcomes: tuple[str, str]) -> View:
    cars = tuple(CarStopView(name, outcome, "tripped") for name, outcome in outcomes)  # type: ignore[arg-type]
    return replace(VIEW, stop=StopView(True, "Ruth", 7 * S, cars=cars))


def test_a_stop_is_kept_as_the_cars_confirm_it() -> None:
    seen = after([stopped(("car-1", "ordered"), ("car-2", "unreached"))])
    assert seen.stop is not None
    assert (seen.stop.stopped, seen.stop.others) == ((), ("car-1", "car-2"))
    seen = after([stopped(("car-1", "stopped"), ("car-2", "stopped")), replace(VIEW, stop=StopView())], seen)
    assert seen.stop is not None
    assert (seen.stop.author, seen.stop.stopped, seen.stop.others) == ("Ruth", ("car-1", "car-2"), ())


def discarded(
    run_id: str, confirmed: int, minute: int, submission: Submission = "discarded", **changes: object
) -> View:
    laps = tuple(
        lap(n, 9_000, confirmed=n <= confirmed, ended_utc_ns=VIEW.clock.utc_ns + minute * M) for n in (1, 2, 3)
    )
    run: RunView = replace(RUN, run_id=run_id, laps=laps, phase="finished", **changes)  # type: ignore[arg-type]
    procedure = ProcedureView(runs=(RunProcedure(run_id, run.racer, run.car, submission=submission),))
    return replace(VIEW, run=run, procedure=procedure)


@pytest.mark.parametrize(("views", "run_id"), [
    ([discarded("run-1", 3, 0, "submitted")], None),
    ([discarded("run-1", 3, 0, "waiting")], None),
    ([replace(discarded("run-1", 3, 0), run=None)], None),
    ([discarded("run-1", 0, 0)], "run-1"),
    ([discarded("run-1", 2, 0), discarded("run-2", 3, 5)], "run-2"),
    ([discarded("run-1", 2, 0), discarded("run-2", 0, 5)], "run-1"),  # a broken one does not undo the whole one
    ([discarded("run-1", 0, 0), discarded("run-2", 1, 5)], "run-2"),
    ([discarded("run-1", 2, 0), discarded("run-2", 0, 13 * 60)], "run-2"),  # of the day after
    ([discarded("run-2", 2, 5), discarded("run-1", 2, 0)], "run-2"),
])  # fmt: skip
def test_which_discarded_run_is_the_one_of_the_staff_car(views: list[View], run_id: str | None) -> None:
    run = after(views).run
    assert (run.run_id if run is not None else None) == run_id


def test_a_car_that_is_started_by_hand_confirms_nothing() -> None:
    run = after([discarded("run-1", 0, 0, without_agent=True)]).run
    assert run is not None
    assert run.is_whole
    assert run.by_hand


def test_who_signed_in_is_known_after_the_session_has_ended_and_until_the_role_is_taken() -> None:
    ruth, max_ = SignInSighting("Ruth", 5 * S, True), SignInSighting("Max", 6 * S, False)
    seen = sightings_after(NOTHING, VIEW, ChecklistFacts(("Ruth", "Max"), (ruth, max_)))
    assert seen.signed_in == (ruth, max_)
    older = SignInSighting("Ruth", 4 * S, False)
    assert sightings_after(seen, VIEW, ChecklistFacts(("Ruth", "Max"), (older,))).signed_in == (ruth, max_)
    assert sightings_after(seen, VIEW, ChecklistFacts(("Max",))).signed_in == (max_,)


STEPS: tuple[Callable[[View], View], ...] = (
    lambda view: view,
    lambda view: replace(view, gates=()),
    lambda view: replace(view, cars=()),
    lambda view: replace(view, cars=(CAR, replace(SPARE, online=False))),
    lambda view: replace(view, button=StopButtonView(OPEN)),
    lambda view: replace(view, stop=stopped(("car-1", "stopped")).stop),
    lambda view: replace(view, run=discarded("run-1", 1, 0).run, procedure=discarded("run-1", 1, 0).procedure),
)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(-1000, 1000)), max_size=12))
def test_the_same_view_twice_changes_nothing(steps: list[tuple[Callable[[View], View], int]]) -> None:
    seen, seconds = NOTHING, 0
    for step, later in steps:
        seconds += later
        view = at(seconds, step(VIEW))
        seen = sightings_after(seen, view, NO_FACTS)
        assert sightings_after(seen, view, NO_FACTS) == seen
        held = [each for each in seen.cars if each.held_utc_ns is not None]
        assert all(each.heard_utc_ns for each in held)
    assert HELD_NS == 600 * S


def certificate(until: dt.datetime) -> bytes:
    """A certificate of its own that ends then; made with `cryptography`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(until)
    ).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def test_the_first_certificate_that_ends_counts(tmp_path: pathlib.Path) -> None:
    early, late = (dt.datetime(year, 5, 1, tzinfo=dt.UTC) for year in (2027, 2031))
    chain, own, text = tmp_path / "ca.pem", tmp_path / "own.pem", tmp_path / "text.pem"
    chain.write_bytes(certificate(late) + certificate(early))
    own.write_bytes(certificate(late))
    text.write_text("hello")
    assert certificates_end((chain, own)) == (int(early.timestamp()) * S, "")
    assert certificates_end(()) == (None, "")
    assert "is no certificate" in certificates_end((own, text))[1]
    assert "cannot be read" in certificates_end((tmp_path / "gone.pem",))[1]


def test_the_watch_reads_what_is_beside_the_view(tmp_path: pathlib.Path) -> None:
    access = cheap_access(tmp_path)
    session_of(access, "Nadia")
    access.people.add_person(VISITOR, "Max", Role.REFEREE, "284613")
    access.people.add_person(VISITOR, "Pia", Role.RACER, "correct horse")
    backups = StationBackups(tmp_path)
    backups.folder.mkdir()
    (backups.folder / "raceday-1.zip").write_bytes(b"x")
    register = ChecklistRegister(tmp_path)
    watch = ChecklistWatch(FakeStation(), register, checklist_facts(access.people, backups, MqttOptions()))
    watch.read_facts()
    facts = register.view.facts
    assert facts.officials == ("Nadia", "Max")
    assert [(each.person, each.on_paired) for each in facts.sign_ins] == [("Nadia", False)]
    assert (facts.makes_backups, facts.backup, facts.certificates_end_utc_ns) == (True, "raceday-1.zip", None)
    watch.look(VIEW)
    assert [each.person for each in register.view.sightings.signed_in] == ["Nadia"]
    assert [each.name for each in register.view.sightings.cars] == ["car-1", "car-2"]
    access.close()
