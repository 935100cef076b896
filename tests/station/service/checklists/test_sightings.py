"""What the station keeps of what it saw: by tables of views, one after another, as they come."""

import base64
import datetime as dt
import os
import pathlib
import subprocess
import sys
import threading
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
from station.checklists.records import (
    NO_END_NS,
    CarSighting,
    ChecklistFacts,
    DiscardedRun,
    SensorSighting,
    SignInSighting,
    StationSightings,
    StopSighting,
)
from station.checklists.register import ChecklistRegister
from station.service.backups.station_backups import StationBackups
from station.service.checklists.checklist_facts import certificates_end, checklist_facts
from station.service.checklists.sightings import GRAIN_NS, HELD_NS, MAX_CARS, at_start, sightings_after
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


def test_a_station_that_was_off_has_heard_no_car_meanwhile(tmp_path: pathlib.Path) -> None:
    """Off from the first second to the 699th, on the same boot of its machine."""
    register = ChecklistRegister(tmp_path)
    register.set_sightings(after([at(0, online(("car-1",)))]))
    restarted = ChecklistRegister(tmp_path)
    watch = ChecklistWatch(FakeStation(), restarted, ChecklistFacts)
    watch.start()
    watch.close()
    assert [each.name for each in restarted.view.sightings.cars][:1] == ["car-1"]
    seen = after([at(700, online(("car-1",)))], at_start(register.view.sightings))
    assert (seen.cars[0].since_ns, seen.cars[0].held_utc_ns) == (at(700).clock.now_ns, None)
    assert all(each.since_ns is None for each in at_start(seen).cars)
    assert after([at(0, online(("car-1",))), at(600, online(("car-1",)))]).cars[0].held_utc_ns is not None  # as it was


def test_what_was_seen_while_the_clock_was_ahead_is_dropped_once_it_is_right() -> None:
    ahead = VIEW.clock.utc_ns + 365 * 24 * 60 * M
    seen = StationSightings(
        (SensorSighting("start", "beam-a", ahead),),
        (CarSighting("car-1", ahead, "boot-0", None, ahead),),
        ahead,
        StopSighting("Ruth", ahead, ("car-1",), ()),
        DiscardedRun("run-0", "car-1", 3, 3, False, ahead, "Ada"),
        (SignInSighting("Ruth", ahead, "Tablet"),),
        ahead,
    )
    empty = replace(VIEW, gates=(GATE,), cars=(), run=None, runs=(), procedure=ProcedureView())
    facts = ChecklistFacts(("Ruth",), (SignInSighting("Ruth", VIEW.clock.utc_ns - M, ""),))
    not_set = replace(empty, clock=replace(VIEW.clock, trusted=False))  # a machine without a battery for its clock
    assert sightings_after(seen, not_set, facts) == seen
    dropped = sightings_after(seen, empty, facts)
    assert dropped.signed_in == facts.sign_ins
    assert (dropped.sensors, dropped.button_utc_ns, dropped.stop, dropped.run) == ((), None, None, None)
    assert (dropped.cars[0].held_utc_ns, dropped.last_lap_utc_ns) == (None, None)
    now_ns = VIEW.clock.utc_ns
    near = replace(seen, button_utc_ns=now_ns + GRAIN_NS, last_lap_utc_ns=now_ns + GRAIN_NS)  # set back a bit
    kept = sightings_after(near, empty, facts)
    assert (kept.button_utc_ns, kept.last_lap_utc_ns) == (now_ns + GRAIN_NS, now_ns + GRAIN_NS)


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
    return at(14 * 3600, replace(VIEW, run=run, procedure=procedure))


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


WHOLE = discarded("run-1", 3, 0)


def with_laps(view: View, **changes: object) -> View:
    assert view.run is not None
    laps = tuple(replace(each, **changes) for each in view.run.laps)  # type: ignore[arg-type]
    return replace(view, run=replace(view.run, laps=laps))


@pytest.mark.parametrize(("now", "counts"), [
    (discarded("run-1", 3, 0, "submitted"), None),  # the discard was undone
    (discarded("run-1", 3, 0, "waiting"), None),
    (with_laps(WHOLE, valid=False), None),
    (with_laps(WHOLE, confirmed=False), (3, 0)),  # the car took its word back
    (replace(WHOLE, procedure=ProcedureView()), (3, 3)),  # it is not shown any more
    (replace(WHOLE, run=None, runs=()), (3, 3)),
    (discarded("run-2", 3, 0, "submitted"), (3, 3)),
])  # fmt: skip
def test_the_newest_reading_of_the_staff_run_counts(now: View, counts: tuple[int, int] | None) -> None:
    run = after([WHOLE, now]).run
    assert ((run.laps, run.confirmed) if run is not None else None) == counts
    assert run is None or (run.racer, run.car) == (RUN.racer, RUN.car)


def test_laps_that_do_not_count_are_no_whole_run() -> None:
    assert after([with_laps(WHOLE, valid=False)]).run is None


def test_the_newest_lap_is_known_when_the_next_run_is_open_and_when_two_are_on_the_track() -> None:
    ended = VIEW.clock.utc_ns - M
    lapped = replace(RUN, run_id="run-1", laps=(lap(1, 9_000, ended_utc_ns=ended),))
    seen = after([replace(VIEW, run=lapped, runs=())])
    assert seen.last_lap_utc_ns == ended
    assert after([replace(VIEW, run=replace(RUN, laps=()), runs=())], seen).last_lap_utc_ns == ended
    assert after([replace(VIEW, run=replace(RUN, laps=()), runs=(lapped,))]).last_lap_utc_ns == ended
    assert after([replace(VIEW, run=None, runs=())]).last_lap_utc_ns is None


def test_a_car_that_is_started_by_hand_confirms_nothing() -> None:
    run = after([discarded("run-1", 0, 0, without_agent=True)]).run
    assert run is not None
    assert run.is_whole
    assert run.by_hand


def test_who_signed_in_is_known_after_the_session_has_ended_and_until_the_role_is_taken() -> None:
    ruth, max_ = SignInSighting("Ruth", 5 * S, "Tablet"), SignInSighting("Max", 6 * S, "")
    seen = sightings_after(NOTHING, VIEW, ChecklistFacts(("Ruth", "Max"), (ruth, max_)))
    assert seen.signed_in == (ruth, max_)
    older = SignInSighting("Ruth", 4 * S, "")
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


KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("authority", "other", "between", "machine")}
TODAY = dt.datetime(2026, 5, 2, tzinfo=dt.UTC)
PAST, EARLY, LATE, LATEST = (dt.datetime(year, 5, 1, tzinfo=dt.UTC) for year in (2025, 2027, 2031, 2040))


def certificate(until: dt.datetime, of: str = "machine", by: str = "authority") -> bytes:
    """A certificate `of` one, signed `by` another, that ends then; made with `cryptography`."""
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (of, by))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(KEYS[of].public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=of != "machine", path_length=None), critical=True)
    ).sign(KEYS[by], hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def authority(until: dt.datetime, name: str = "authority") -> bytes:
    return certificate(until, name, name)


@pytest.mark.parametrize(("ca", "cert", "broker", "end"), [
    (authority(LATE), certificate(EARLY), b"", EARLY),
    (authority(EARLY), certificate(LATE), b"", EARLY),
    (authority(EARLY, "other") + authority(LATEST), certificate(LATE), b"", LATE),  # an old root, of another
    (authority(EARLY) + authority(LATEST), certificate(LATE), b"", LATE),  # the authority was renewed
    (authority(LATEST), certificate(LATE), certificate(EARLY), EARLY),
    (authority(LATE), b"", b"", LATE),
    (authority(EARLY, "other") + authority(LATE), b"", b"", LATE),
    (authority(EARLY, "other") + authority(LATEST), b"", certificate(LATE), LATE),
    (b"", certificate(EARLY), b"", EARLY),
    (authority(LATE), certificate(EARLY, by="other"), b"", EARLY),
    (authority(EARLY) + certificate(LATEST, "between", "authority"), certificate(LATE, by="between"), b"", EARLY),
    (authority(LATEST), certificate(LATE, by="between") + certificate(EARLY, "between", "authority"), b"", EARLY),
    (authority(EARLY), b"", certificate(LATE, by="between") + certificate(LATEST, "between", "authority"), EARLY),
    (authority(LATEST) + authority(LATEST, "other"), certificate(LATE, by="other"), certificate(EARLY), EARLY),
    (authority(PAST), certificate(LATE), b"", PAST),  # it is over already
])  # fmt: skip
def test_the_first_certificate_that_is_used_and_ends_counts(
    tmp_path: pathlib.Path, ca: bytes, cert: bytes, broker: bytes, end: dt.datetime
) -> None:
    files = {"ca.pem": ca, "own.pem": cert, "broker.pem": broker}
    for name, content in files.items():
        if content:
            (tmp_path / name).write_bytes(content)
    found = certificates_end(tmp_path / "ca.pem" if ca else None, tmp_path / "own.pem" if cert else None, TODAY)
    assert found == (int(end.timestamp()) * S, "")


def test_a_broker_that_no_authority_of_the_station_vouches_for_is_said(tmp_path: pathlib.Path) -> None:
    """As after the authority was made anew, and the station's own files were forgotten."""
    (tmp_path / "ca.pem").write_bytes(authority(LATE) + certificate(LATE, "between", "authority"))
    (tmp_path / "broker.pem").write_bytes(certificate(LATE, by="other"))
    found = certificates_end(tmp_path / "ca.pem", None, TODAY)
    assert found == (None, f"No authority of this station vouches for {tmp_path}/broker.pem: it trusts no such broker.")


def test_a_certificate_that_cannot_be_read_is_said(tmp_path: pathlib.Path) -> None:
    own, torn, odd = tmp_path / "own.pem", tmp_path / "torn.pem", tmp_path / "odd.pem"
    own.write_bytes(certificate(LATE))
    torn.write_text("hello")
    der = x509.load_pem_x509_certificate(own.read_bytes()).public_bytes(serialization.Encoding.DER)
    of_version_8 = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)  # X.509 has 1 to 3
    armour = "-----{} CERTIFICATE-----\n"
    odd.write_text(armour.format("BEGIN") + base64.encodebytes(of_version_8).decode() + armour.format("END"))
    assert certificates_end(None, None, TODAY) == (None, "")
    assert "is no certificate" in certificates_end(own, torn, TODAY)[1]
    assert "is no certificate" in certificates_end(None, odd, TODAY)[1]
    assert "cannot be read" in certificates_end(None, tmp_path / "gone.pem", TODAY)[1]


def test_a_certificate_without_end_ends_with_the_times_that_a_page_can_show(tmp_path: pathlib.Path) -> None:
    """RFC 5280, 4.1.2.5: 99991231235959Z is a certificate without a well-defined end."""
    own = tmp_path / "own.pem"
    own.write_bytes(certificate(dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)))
    assert certificates_end(None, own, TODAY) == (NO_END_NS, "")


def test_a_station_without_certificates_does_not_import_what_reads_them() -> None:
    code = (
        "import sys; import datetime as dt; "
        "from station.service.checklists.checklist_facts import certificates_end as end; "
        "assert end(None, None, dt.datetime.now(dt.UTC)) == (None, ''); sys.exit('cryptography.x509' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


class ViewlessStation(FakeStation):
    """A station whose view cannot be made: a defect, wherever it is."""

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        raise LookupError("no such gate")


def test_a_watch_that_ends_by_itself_is_said_and_logged() -> None:
    said: list[str] = []
    register, ended = ChecklistRegister(None), threading.Event()
    watch = ChecklistWatch(ViewlessStation(), register, ChecklistFacts, said.append)
    register.on_change(ended.set)
    watch.start()
    assert ended.wait(60)
    watch.close()
    assert said == [register.view.watch_fault]
    assert "LookupError: no such gate" in said[0]


class AskedStation(FakeStation):
    """A station that notes how long it may keep who asks."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.kept_s = threading.Event(), list[float]()

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        self.kept_s.append(timeout_s)
        self.asked.set()
        return None


def test_nothing_keeps_the_watch_from_ending() -> None:
    station = AskedStation()
    watch = ChecklistWatch(station, ChecklistRegister(None), ChecklistFacts)
    watch.start()
    assert station.asked.wait(60)
    watch.close()
    assert set(station.kept_s) == {0.0}  # a wait there is one that `close` cannot end


def test_the_watch_reads_what_is_beside_the_view(tmp_path: pathlib.Path) -> None:
    access = cheap_access(tmp_path)
    session_of(access, "Nadia")
    access.people.add_person(VISITOR, "Max", Role.REFEREE, "284613")
    access.people.add_person(VISITOR, "Pia", Role.RACER, "correct horse")
    backups = StationBackups(tmp_path)
    backups.folder.mkdir()
    (backups.folder / "raceday-1.zip").write_bytes(b"x")
    os.utime(backups.folder / "raceday-1.zip", (1, 1))
    (backups.folder / "uploaded-2.zip").write_bytes(b"x")  # newer, and neither is a backup of this station's laps
    (backups.folder / "before-restore-3.zip").write_bytes(b"x")
    register = ChecklistRegister(tmp_path)
    watch = ChecklistWatch(FakeStation(), register, checklist_facts(access.people, backups, MqttOptions()))
    watch.read_facts()
    facts = register.view.facts
    assert facts.officials == ("Nadia", "Max")
    assert [(each.person, each.device) for each in facts.sign_ins] == [("Nadia", "")]
    assert (facts.makes_backups, facts.backup, facts.certificates_end_utc_ns) == (True, "raceday-1.zip", None)
    watch.look(replace(VIEW, clock=replace(VIEW.clock, utc_ns=facts.sign_ins[0].at_utc_ns)))
    assert [each.person for each in register.view.sightings.signed_in] == ["Nadia"]
    assert [each.name for each in register.view.sightings.cars] == ["car-1", "car-2"]
    access.close()
