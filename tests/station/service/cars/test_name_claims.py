"""Several machines with one name: its owner keeps it, a second one gets no lease; a reboot is no second machine."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.protocol import messages as m
from station.core.moment import Moment
from station.service.cars.car_control import CarControl
from station.service.cars.controlled_car import DrivePermit
from station.service.cars.name_claims import ARMED, FORGET_NS, RETURN_ALARM_NS, SILENT_NS, NameClaim
from station.service.cars.order_writer import Reply
from station.views.car_views import CarStopView

MS = 1_000_000
S = 1_000_000_000


def leases(replies: list[Reply]) -> dict[str, str]:
    return {body.boot: body.grant for _, body in replies if isinstance(body, m.Lease)}


def actions(replies: list[Reply]) -> list[tuple[str, str]]:
    return [(body.boot, body.action) for _, body in replies if isinstance(body, m.DriveOrder)]


class Rig:
    """Machines that follow only orders to their own boot, as cars do."""

    def __init__(self, *boots: str, rate: float = 1.0) -> None:
        self.cars = CarControl(500, 2000, "n", rate)
        self.cars.permit([DrivePermit("car-1", "run-1", running=True)])
        self.modes: dict[str, m.CarMode] = dict.fromkeys(boots, "disarmed")
        self.granted: set[str] = set()
        self.now_ns, self.number = 0, 0

    def beat(self, boot: str, after_ns: int = 100 * MS) -> list[Reply]:
        self.now_ns, self.number = self.now_ns + after_ns, self.number + 1
        replies = self.cars.on_heartbeat("car-1", boot, m.CarHeartbeat(self.number, self.modes[boot]), self.now_ns)
        self.obey(replies)
        return replies

    def obey(self, replies: list[Reply]) -> None:
        steps: dict[str, m.CarMode] = {"arm": "ready", "start": "driving", "stop": "stopped", "estop": "tripped"}
        for _, body in replies:
            if isinstance(body, m.Lease) and body.grant == "drive":
                self.granted.add(body.boot)
            if isinstance(body, m.DriveOrder):
                for boot in self.modes if body.action in ("stop", "estop") else (body.boot,):
                    self.modes[boot] = steps[body.action]

    @property
    def alarm(self) -> str:
        return self.cars.views(self.now_ns)[0].alarm


@pytest.mark.parametrize("gap_ms", [1, 25, 50, 100])
@pytest.mark.parametrize("second_first", [False, True])
def test_two_cards_of_one_image_never_both_drive(gap_ms: int, second_first: bool) -> None:
    rig = Rig("a", "b")
    for boot in ("b", "a") if second_first else ("a", "b"):
        rig.beat(boot, 1)
    rig.obey(rig.cars.order("car-1", "start", 50, 2))
    for _ in range(600 // gap_ms):
        for boot in ("a", "b"):
            rig.beat(boot, gap_ms * MS)
    assert rig.granted == {"b" if second_first else "a"}
    assert list(rig.modes.values()).count("driving") == 1
    assert rig.alarm.startswith("Two machines use the name car-1 (boots ")


def test_a_third_one_is_named_too() -> None:
    rig = Rig("a", "b", "c")
    for _ in range(8):
        for boot in "abc":
            rig.beat(boot)
    assert rig.granted == {"a"}
    assert rig.alarm.startswith("Three machines")
    assert "a, b and c" in rig.alarm


def test_the_one_that_drives_goes_on_when_a_second_one_comes() -> None:
    rig = Rig("a", "b")
    rig.beat("a")
    rig.obey(rig.cars.order("car-1", "start", 50, rig.now_ns))
    for _ in range(5):
        rig.beat("a")
    assert rig.modes["a"] == "driving"
    for _ in range(50):
        assert leases(rig.beat("b", 50 * MS)) == {"b": "none"}
        assert leases(rig.beat("a", 50 * MS)) == {"a": "drive"}
    assert rig.modes == {"a": "driving", "b": "disarmed"}


def test_the_second_one_is_told_why() -> None:
    rig = Rig("a", "b")
    rig.beat("a")
    [(_, lease)] = rig.beat("b")
    assert isinstance(lease, m.Lease)
    assert "Another machine already uses the name car-1" in lease.reason


@pytest.mark.parametrize("rate", [1.0, 8.0])
def test_a_car_that_rebooted_is_back_at_once_and_no_alarm(rate: float) -> None:
    rig = Rig("a", "b", rate=rate)
    for _ in range(20):
        rig.beat("a")
    assert leases(rig.beat("b", round(SILENT_NS * rate))) == {"b": "drive"}
    for _ in range(200):
        rig.beat("b")
        assert "machines use the name" not in rig.alarm


def test_a_reboot_that_is_quicker_than_silence_waits_and_is_no_alarm() -> None:
    rig = Rig("a", "b")
    rig.beat("a")
    got = [leases(rig.beat("b"))["b"] for _ in range(40)]
    assert (got[0], got[-1]) == ("none", "drive")
    assert got.index("drive") == SILENT_NS // (100 * MS) - 1
    assert "machines use the name" not in rig.alarm


def test_a_burst_of_old_beats_after_a_reboot_is_no_second_machine() -> None:
    rig = Rig("a", "b")
    rig.beat("a")
    rig.beat("b", 5 * S)
    for _ in range(30):  # a broker that was frozen delivers what it held
        rig.beat("a", 1 * MS)
        rig.beat("b", 1 * MS)
    assert "machines use the name" not in rig.alarm


def test_machines_that_knock_each_other_off_are_known_when_one_is_back() -> None:
    rig = Rig("a", "b")
    for boot in ("a", "b", "a"):
        rig.beat(boot, 15 * S)
        for _ in range(20):
            rig.beat(boot)
    assert rig.alarm.startswith("Two machines")


def test_known_twins_wait_longer_for_the_name_and_no_order_goes_over() -> None:
    rig = Rig("a", "b")
    for _ in range(10):
        rig.beat("a")
        rig.beat("b")
    rig.cars.order("car-1", "start", 50, rig.now_ns)  # and then a is switched off
    last_ns = rig.now_ns
    while rig.cars._cars["car-1"].boot == "a":
        rig.beat("b")
    assert rig.now_ns - last_ns >= FORGET_NS - 200 * MS
    for _ in range(50):
        assert actions(rig.beat("b")) == []
    assert rig.modes["b"] == "disarmed"


def test_an_order_for_the_boot_before_starts_no_rebooted_car() -> None:
    rig = Rig("a", "b")
    rig.beat("a")
    rig.cars.order("car-1", "start", 50, rig.now_ns)
    assert actions(rig.beat("b", 4 * S)) == []
    assert "restarted before it could start" in rig.alarm


def test_a_stop_reaches_both_and_is_confirmed_by_both() -> None:
    rig = Rig("a", "b")
    rig.beat("a")
    rig.modes["b"] = "driving"  # by a phone
    rig.beat("b")
    orders = rig.cars.stop_all("Ruth", Moment("boot", rig.now_ns, 0))
    assert actions(orders) == [("a", "estop")]  # a stop order is followed whichever boot it names
    rig.modes["a"] = "tripped"
    rig.beat("a")
    view = rig.cars.stop_view(Moment("boot", rig.now_ns, 0), connected=True)
    assert [car.outcome for car in view.cars] == ["ordered"]
    rig.modes["b"] = "tripped"
    rig.beat("b")
    view = rig.cars.stop_view(Moment("boot", rig.now_ns, 0), connected=True)
    assert [car.outcome for car in view.cars] == ["stopped"]


def twins_of(*modes: m.CarMode, rate: float = 1.0) -> Rig:
    """Two machines with one name that have both sent heartbeats for a second; the first owns the name."""
    rig = Rig("a", "b", rate=rate)
    for _ in range(10):
        for boot, mode in zip("ab", modes, strict=True):
            rig.modes[boot] = mode
            rig.beat(boot, round(50 * MS * rate))
    return rig


def became(rig: Rig) -> CarStopView:
    [car] = rig.cars.stop_view(Moment("boot", rig.now_ns, rig.now_ns), connected=True).cars
    return car


def stop(rig: Rig) -> None:
    rig.cars.stop_all("Ruth", Moment("boot", rig.now_ns, rig.now_ns))  # and the order is lost


@pytest.mark.parametrize("rate", [1.0, 8.0])
@pytest.mark.parametrize("mode", ["driving", "ready", "disarmed", "stopped"])
@pytest.mark.parametrize("last_words", [0, 3])
def test_no_tick_for_a_silent_machine_of_the_name(mode: m.CarMode, last_words: int, rate: float) -> None:
    rig = twins_of("ready", mode, rate=rate)
    stop(rig)
    for _ in range(last_words):
        rig.modes["b"] = mode  # the order did not reach it
        rig.beat("b", round(100 * MS * rate))
    heard_ns = rig.now_ns
    rig.modes["a"] = "tripped"
    for second in range(600):
        rig.beat("a", round(1 * S * rate))
        assert became(rig).outcome == ("ordered" if second < 2 else "unreached")
    heard_utc_ns = rig.now_ns - round((rig.now_ns - heard_ns) / rate)
    assert abs((became(rig).heard_utc_ns or 0) - heard_utc_ns) <= 1
    assert (became(rig).other_boot, became(rig).mode) == ("b", mode)
    rig.modes["b"] = "tripped"
    rig.beat("b")
    assert became(rig).outcome == "stopped"


def test_one_that_was_silent_already_and_drove_is_not_reached() -> None:
    rig = twins_of("ready", "driving")
    for _ in range(20):
        rig.beat("a", 1 * S)
    stop(rig)
    rig.modes["a"] = "tripped"
    rig.beat("a")
    assert (became(rig).outcome, became(rig).heard_utc_ns) == ("unreached", 1 * S)


def test_one_that_stood_and_was_taken_away_before_the_stop_is_no_matter() -> None:
    rig = twins_of("ready", "disarmed")
    rig.beat("a", 20 * S)
    stop(rig)
    rig.modes["a"] = "tripped"
    rig.beat("a")
    assert became(rig).outcome == "stopped"


def test_one_that_had_the_name_and_drove_away_is_not_ticked_by_the_next() -> None:
    rig = twins_of("driving", "disarmed")
    stop(rig)
    for _ in range(200):
        rig.modes["b"] = "tripped"
        rig.beat("b")
    assert rig.cars._cars["car-1"].boot == "b"
    assert (became(rig).outcome, became(rig).other_boot) == ("unreached", "a")
    rig.modes["a"] = "tripped"
    rig.beat("a")
    assert became(rig).outcome == "stopped"


def test_machines_that_knock_each_other_off_are_not_ticked_by_one() -> None:
    rig = Rig("a", "b")
    rig.modes["a"] = "driving"  # by a phone
    for boot in ("a", "b", "a", "b"):
        rig.cars.on_state("car-1", m.CarState(False, "disarmed"), rig.now_ns)  # the last will of the boot before
        for _ in range(20):
            rig.beat(boot)
    stop(rig)
    rig.modes["b"] = "tripped"
    for _ in range(200):
        rig.beat("b")
    assert (became(rig).outcome, became(rig).other_boot) == ("unreached", "a")


def test_one_that_comes_back_and_drives_under_the_stop_is_ordered_to_stop() -> None:
    """The owner has stopped long ago; a phone leases the other machine, so no lost lease stops it."""
    rig = twins_of("ready", "driving")
    stop(rig)
    rig.modes["a"] = "tripped"
    rig.beat("a", 5 * S)
    replies = rig.beat("b", 5 * S)
    assert actions(replies) == [("b", "estop")]
    rig.modes["b"] = "driving"  # that order is lost as well
    assert [actions(rig.beat("b"))[:1] for _ in range(5)][-1] == [
        ("b", "estop")
    ]  # and repeated, but not at each heartbeat
    assert became(rig).outcome == "ordered"
    rig.beat("b")
    assert became(rig).outcome == "stopped"
    rig.modes["b"] = "disarmed"  # its phone resets it: its confirmation still counts
    assert actions(rig.beat("b")) == []
    assert became(rig).outcome == "stopped"
    rig.modes["b"] = "ready"
    assert actions(rig.beat("b", 1 * S)) == [("b", "estop")]


def test_an_emergency_stop_of_one_car_holds_every_machine_of_its_name() -> None:
    rig = twins_of("ready", "driving")
    rig.cars.order("car-1", "estop", None, rig.now_ns)
    rig.modes["a"] = "tripped"
    rig.beat("a", 5 * S)
    assert actions(rig.beat("b")) == [("b", "estop")]


def test_after_the_release_nothing_is_owed_nor_ordered() -> None:
    rig = twins_of("ready", "disarmed")
    stop(rig)
    rig.cars.permit([])
    rig.cars.release(Moment("boot", rig.now_ns, 0))
    for boot in "ab":
        rig.modes[boot] = "driving"
    assert actions(rig.beat("b")) == []


def test_a_reboot_under_the_stop_says_it_anew_and_leaves_no_machine_behind() -> None:
    rig = Rig("a", "b")
    rig.modes["a"] = "driving"
    rig.beat("a")
    stop(rig)
    assert actions(rig.beat("b", 4 * S)) == [("b", "estop")]
    assert became(rig).outcome == "ordered"
    rig.beat("b")
    assert became(rig).outcome == "stopped"
    for _ in range(3):  # a broker that was frozen delivers what it held
        rig.modes["a"] = "driving"
        rig.beat("a", 1 * MS)
    rig.beat("b", 5 * S)
    assert became(rig).outcome == "stopped"


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from(sorted(ARMED | {"tripped", "disarmed"})), st.integers(1, 12_000)
        ),
        max_size=40,
    ),
    st.integers(0, 20),
)
def test_a_tick_is_the_word_of_all_that_use_the_name(beats: list[tuple[str, m.CarMode, int]], at: int) -> None:
    """A stop counts as confirmed only once all machines confirm it, whichever falls silent and owns the name."""
    rig = twins_of("ready", "driving")
    last: dict[str, m.CarMode] = dict(rig.modes)
    confirmed: set[str] = set()
    stopped = False
    for number, (boot, mode, after_ms) in enumerate(beats):
        if number == at:
            stop(rig)
            confirmed, stopped = set(), True
        rig.modes[boot] = last[boot] = mode
        rig.beat(boot, after_ms * MS)
        if mode != "disarmed":
            (confirmed.add if mode == "tripped" else confirmed.discard)(boot)
        if stopped and became(rig).outcome == "stopped":
            assert not ARMED & set(last.values())
            assert boot in confirmed


def test_the_page_shows_the_holders_state_and_not_the_others() -> None:
    rig = Rig("a", "b")
    rig.beat("a")
    rig.cars.on_state("car-1", m.CarState(True, "ready", model="ours"), rig.now_ns, "a")
    rig.cars.on_state("car-1", m.CarState(True, "driving", model="theirs"), rig.now_ns, "b")
    rig.cars.on_state("car-1", m.CarState(False, "disarmed"), rig.now_ns, "old")  # a last will that arrives late
    rig.cars.on_telemetry("car-1", m.CarTelemetry(9, 0, 0, 0, 1, 1, 1, 1, 0.0, 0.9), "b")
    [view] = rig.cars.views(rig.now_ns)
    assert (view.model, view.mode, view.online, view.frames) == ("ours", "ready", True, None)
    rig.beat("b", 4 * S)  # a is gone, so what b reported counts now
    assert rig.cars.views(rig.now_ns)[0].model == "theirs"


def test_who_loses_the_broker_keeps_the_name_until_its_lease_ends() -> None:
    """Found by a simulated race day: the twin was leased at once, while the first drove on by its last lease."""
    rig = Rig("a", "b")
    assert leases(rig.beat("a")) == {"a": "drive"}
    rig.cars.on_state("car-1", m.CarState(False, "driving"), rig.now_ns, "a")  # the broker tells its will
    assert [leases(rig.beat("b"))["b"] for _ in range(6)] == ["none"] * 5 + ["drive"]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4_000), st.sampled_from(["", *"abc"])), max_size=60))
def test_never_two_within_the_life_of_a_lease(beats: list[tuple[str, int, str]]) -> None:
    """Whenever machines report, no two boots hold a lease at the same time, and an alarm names boots that reported.

    Before each report the broker may tell the will of one of them.
    """
    rig = Rig("a", "b", "c")
    leased_ns: dict[str, int] = {}
    reported = set()
    for boot, after_ms, will in beats:
        if will:
            rig.cars.on_state("car-1", m.CarState(False, "disarmed"), rig.now_ns, will)
        reported.add(boot)
        if leases(rig.beat(boot, after_ms * MS)).get(boot) == "drive":
            leased_ns[boot] = rig.now_ns
        assert sum(rig.now_ns - at_ns < 500 * MS for at_ns in leased_ns.values()) <= 1
        assert set(rig.cars._cars["car-1"].claim.duplicates(rig.now_ns)) <= reported


def test_what_is_kept_of_others_is_bounded() -> None:
    claim = NameClaim(500)
    claim.on_heartbeat("a", "ready", 0)
    for number in range(10_000):
        claim.on_heartbeat(f"x{number}", "ready", number)
        claim.on_state(f"y{number}", m.CarState(True, "ready"), number)
    assert len(claim._others) <= 8
    assert claim.on_heartbeat("a", "ready", RETURN_ALARM_NS)


def test_who_drove_is_the_last_to_be_forgotten() -> None:
    claim = NameClaim(500)
    claim.on_heartbeat("a", "ready", 0)
    claim.on_heartbeat("b", "driving", 1)
    for number in range(100):
        claim.on_heartbeat(f"x{number}", "disarmed", number + 2)
    claim.stop(100 * S)
    owing = claim.unconfirmed_stop(100 * S)
    assert owing is not None
    assert owing.boot == "b"
