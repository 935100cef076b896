"""Who a request is, by the people, devices and sessions there are, and when a session ends. Pure.

Held in memory by station_access.py as one frozen `AccessRules`, so that no request waits for the disk or a lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.access.tokens import token_hash
from station.access.identity import VISITOR, Identity
from station.access.records import PairedDevice, Person, Session
from station.access.roles import Role
from station.access.tokens import ShownTokens


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without use, by role, and at most."""

    idle_s: Mapping[Role, float]
    absolute_s: float


@dataclass(frozen=True, slots=True)
class AccessRules:
    """People by id, devices and sessions by the hash of their tokens."""

    limits: SessionLimits
    people: Mapping[str, Person] = field(default_factory=dict)
    devices: Mapping[str, PairedDevice] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)

    def identity(self, shown: ShownTokens, used_s: Mapping[str, float], now_s: float) -> Identity:
        """Who showed these tokens. `used_s`: when each session, by id, was last used."""
        if shown.bearer:
            script = self.device(shown.bearer)
            if script is None or script.kind != "script":
                return VISITOR
            return Identity(script.name, script.role, script.name, "", script.role)
        session = self.sessions.get(token_hash(shown.session)) if shown.session else None
        if session is not None and self.is_open(session, used_s, now_s):
            return self.identity_of(session)
        device = self.device(shown.device)
        return (
            VISITOR
            if device is None or device.kind == "script"
            else Identity(device=device.name, device_role=device.role)
        )

    def identity_of(self, session: Session) -> Identity:
        """Who is signed in by a session that is open."""
        person, device = self.people[session.person_id], self.device_of(session)
        if device is None:
            return Identity(person.name, person.role, "", session.id)
        return Identity(person.name, min(person.role, device.role), device.name, session.id, device.role)

    def is_open(self, session: Session, used_s: Mapping[str, float], now_s: float) -> bool:
        """Has neither its time nor its person or device ended? A clock that was set back ends sessions too."""
        person, device = self.people.get(session.person_id), self.device_of(session)
        if person is None or (device is None and session.device_id):
            return False
        role = person.role if device is None else min(person.role, device.role)
        idle_s = now_s - used_s.get(session.id, session.opened_s)
        return 0 <= now_s - session.opened_s < self.limits.absolute_s and idle_s < self.limits.idle_s[role]

    def device(self, token: str) -> PairedDevice | None:
        """The device with this token."""
        return self.devices.get(token_hash(token)) if token else None

    def device_of(self, session: Session) -> PairedDevice | None:
        """The device of a session; None if it is on no paired one, or the device was revoked."""
        return next((each for each in self.devices.values() if each.id == session.device_id), None)

    def is_valid(self, identity: Identity, used_s: Mapping[str, float], now_s: float) -> bool:
        """Does what this identity was based on still hold?"""
        if identity.session:
            session = next((each for each in self.sessions.values() if each.id == identity.session), None)
            return (
                session is not None and self.is_open(session, used_s, now_s) and self.identity_of(session) == identity
            )
        if identity.device:
            return any(
                device.name == identity.device and device.role == identity.device_role
                for device in self.devices.values()
            )
        return True
