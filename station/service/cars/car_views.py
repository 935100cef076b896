"""What the pages show of each car: its state, its alarm, and whether the stop of all cars reached it. Pure.

Called by car_control.py, under its lock. `rate` is seconds of the station's clock per real second.
"""

import re
from collections.abc import Sequence

from shared.text import text
from shared.units import NS_PER_MS
from station.core.moment import Moment
from station.service.cars.controlled_car import ControlledCar, DrivePermit
from station.service.cars.name_claims import SILENT_NS
from station.views.car_views import CarStopView, CarView

EMPTY_PERCENT = 10  # of a car's battery: it may stand still in the middle of its run
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


def stop_view_of(car: ControlledCar, now: Moment, rate: float) -> CarStopView:
    """The outcome of the stop of all cars for one car; if several machines share its name, the worst outcome.

    From worst to best: not reached, not confirmed yet, stopped.
    """
    took_ms = None
    if car.stop_confirmed_ns is not None and car.stop_ordered_ns is not None:
        took_ms = round((car.stop_confirmed_ns - car.stop_ordered_ns) / rate) // NS_PER_MS
    if took_ms is None and now.at_ns - car.heartbeat_ns >= SILENT_NS * rate:
        return CarStopView(
            car.name, "unreached", car.mode, None, _utc_ns(car.heartbeat_ns, now, rate) if car.boot else None
        )
    other = car.claim.unconfirmed_stop(now.at_ns)
    if other is not None and not car.claim.is_online(other, now.at_ns):
        heard_utc_ns = _utc_ns(other.reported_ns, now, rate)
        return CarStopView(car.name, "unreached", other.mode, None, heard_utc_ns, other.boot)
    if took_ms is None:
        return CarStopView(car.name, "ordered", car.mode)
    if other is not None:
        return CarStopView(car.name, "ordered", other.mode, other_boot=other.boot)
    return CarStopView(car.name, "stopped", car.mode, took_ms)


def _utc_ns(at_ns: int, now: Moment, rate: float) -> int:
    return now.utc_ns - round((now.at_ns - at_ns) / rate)


def car_view(
    car: ControlledCar, permit: DrivePermit | None, now_ns: int, rate: float, *, leased: bool, practising: bool
) -> CarView:
    """What the pages show of one car, as it last reported. `leased`: it may drive now; `practising`: a phone leases it.

    `permit`: its run, None if it has none.
    """
    state, telemetry = car.state, car.telemetry
    online = state.online and now_ns - car.heartbeat_ns < SILENT_NS * rate
    return CarView(
        name=car.name,
        online=online,
        mode=car.mode,
        reason=state.reason,
        model=state.model,
        model_sha256=state.model_sha256,
        throttle_percent=state.throttle_percent,
        leased=leased,
        steering=telemetry.steering if telemetry else None,
        throttle=telemetry.throttle if telemetry else None,
        frame_age_p50_us=telemetry.frame_age_p50_us if telemetry else None,
        frame_age_p99_us=telemetry.frame_age_p99_us if telemetry else None,
        policy_p50_us=telemetry.policy_p50_us if telemetry else None,
        frames=telemetry.frames if telemetry else None,
        dropped=telemetry.dropped if telemetry else None,
        alarm=_alarm(car, permit, online, now_ns),
        practice=online and car.mode == "driving" and practising,
        battery_percent=state.battery_percent if online else None,
        promise=state.promise,
        colour=state.colour if _COLOUR.fullmatch(state.colour) else "",
        doubt=_doubt(car),
    )


def _doubt(car: ControlledCar) -> str:
    """What is doubtful about the car's own lap reports; "" if nothing is."""
    if car.report_lead_ns is None:
        return ""
    off_ms = abs(car.report_lead_ns) // NS_PER_MS
    if car.report_lead_ns > 0:
        return text(
            "{name} reports each passing {ms} ms too early: its lens, or the boards' places, are set wrong. "
            "Measure it: `raceday vehicle lens`.",
            name=car.name,
            ms=off_ms,
        )
    return text(
        "{name} reports each passing {ms} ms too late: its lens, or the boards' places, are set wrong. "
        "Measure it: `raceday vehicle lens`.",
        name=car.name,
        ms=off_ms,
    )


def _alarm(car: ControlledCar, permit: DrivePermit | None, online: bool, now_ns: int) -> str:
    if duplicates := car.claim.duplicates(now_ns):
        return duplicate_name_sentence(car.name, duplicates)
    if sentence := _flood(car) or car.refusal:
        return sentence
    if permit is None or not permit.running:
        return ""
    if not online:
        return text("{name} is silent in the middle of its run.", name=car.name)
    if car.mode == "tripped":
        return text(
            "{name} stopped itself: {reason} Resume it when it is safe.",
            name=car.name,
            reason=car.state.reason or text("no reason given"),
        )
    if car.mode != "driving" and not car.goal:
        return text("{name} is {mode} in the middle of its run.", name=car.name, mode=car.mode)
    percent = car.state.battery_percent
    if percent is not None and percent < EMPTY_PERCENT:
        return text("The battery of {name} is nearly empty: {percent} % are left.", name=car.name, percent=percent)
    return ""


def _flood(car: ControlledCar) -> str:
    """The alarm for a machine that sends too much; "" if it does not."""
    if not car.flood_per_s:
        return ""
    return text(
        "{name} floods the station: {count} of its messages a second are dropped unread. Take it off the track; "
        "`raceday certs revoke {name}` keeps it out.",
        name=car.name,
        count=car.flood_per_s,
    )


def duplicate_name_sentence(name: str, boots: Sequence[str]) -> str:
    """The alarm for several machines with one name; `boots`: the boot of each, the owner of the name first."""
    who = " and ".join((", ".join(boot[:12] for boot in boots[:-1]), boots[-1][:12]))
    if len(boots) == 2:
        return text(
            "Two machines use the name {name} (boots {who}): only the first is controlled; rename the others "
            "(`device`).",
            name=name,
            who=who,
        )
    if len(boots) == 3:
        return text(
            "Three machines use the name {name} (boots {who}): only the first is controlled; rename the others "
            "(`device`).",
            name=name,
            who=who,
        )
    return text(
        "{count} machines use the name {name} (boots {who}): only the first is controlled; rename the others "
        "(`device`).",
        count=len(boots),
        name=name,
        who=who,
    )
