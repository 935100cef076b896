"""People with roles, paired devices, pairing codes and open sessions, as admins and operators manage them.

Part of `StationAccess`. Every change is logged in access.db with who made it and on which device.
"""

import secrets
from dataclasses import dataclass, replace

from shared.access.pass_code_hashing import PassCodeHasher
from shared.access.short_codes import new_code, normalised
from shared.access.tokens import new_token, token_hash
from shared.addresses import counted_prefix
from shared.errors import Refused, WrongCode
from shared.rules.person_names import name_key, name_within, person_name
from shared.text import text
from station.access.access_state import AccessState
from station.access.identity import Identity
from station.access.pass_codes import pass_code_kind
from station.access.records import AccessEvent, Deed, DeviceKind, PairedDevice, Person, Session
from station.access.roles import Role
from station.access.tokens import ShownTokens

MAX_NAME = 40
PAIRING_S = 600.0
PAIRING_LETTERS = 8
MAX_OFFERS = 20
MAX_DEVICES = 200
MAX_TYPED = 40


@dataclass(frozen=True, slots=True)
class PairingOffer:
    """An open offer to pair one device until `expires_s` (UTC seconds). `code` is what the device's person types."""

    code: str
    name: str
    kind: DeviceKind
    role: Role
    by: str
    expires_s: float


@dataclass(frozen=True, slots=True)
class SessionLine:
    """An open session as the people's page lists it; `used_s`: when it was last used."""

    id: str
    person: str
    device: str
    role: Role
    opened_s: float
    used_s: float


class PeopleAndDevices:
    """Thread-safe. Methods raise Refused or BadInput with one sentence, and StorageError."""

    def __init__(self, state: AccessState, hasher: PassCodeHasher) -> None:
        self._state, self._hasher = state, hasher
        self._offers: dict[str, PairingOffer] = {}  # by the code as it is compared; gone at a restart

    def people(self) -> list[Person]:
        """Everybody, the highest role first."""
        return list(self._state.rules.people.values())

    def devices(self) -> list[PairedDevice]:
        """Every paired device, the oldest first."""
        return list(self._state.rules.devices.values())

    def device(self, token: str) -> PairedDevice | None:
        """The paired device with this token."""
        return self._state.rules.device(token)

    def last_used_s(self, key: str) -> float | None:
        """When the session or device with this id was last used."""
        return self._state.used_s.get(key)

    def sessions(self) -> list[SessionLine]:
        """The open sessions, the newest first."""
        rules, used_s, now_s = self._state.rules, self._state.used_s, self._state.now_s()
        open_ones = [each for each in rules.sessions.values() if rules.is_open(each, used_s, now_s)]
        return [self._line(each) for each in sorted(open_ones, key=lambda each: -each.opened_s)]

    def by_key(self, key: str) -> Person | None:
        """The person whose name has this key."""
        return next((each for each in self.people() if name_key(each.name) == key), None)

    def add_person(self, by: Identity, name: str, role: Role, pass_code: str) -> None:
        """Adds a person with a PIN or passphrase."""
        name = checked_name(name)
        if self.by_key(name_key(name)) is not None or self._script_has(name):
            raise Refused(text("There is somebody named {name} already: choose another name.", name=name))
        person = Person(new_id(), name, role, pass_code_kind(pass_code, role), self._hasher.hash(pass_code))
        with self._state.change() as store:
            store.put_person(person, name_key(name))
            store.add_event(self._event(by, "person_added", name, after=role.word))

    def change_person(self, by: Identity, person_id: str, role: Role, pass_code: str = "") -> None:
        """Gives a person another role, and a new PIN or passphrase if one is given, which ends his sessions."""
        person = self._person(person_id)
        if role is not Role.ADMIN:
            self._keep_an_admin(person)
        changed = replace(person, role=role)
        if pass_code:
            kind = pass_code_kind(pass_code, role)
            changed = replace(changed, code_kind=kind, code_hash=self._hasher.hash(pass_code))
        with self._state.change() as store:
            store.put_person(changed, name_key(person.name))
            for session in self._sessions_of(person.id) if pass_code else ():
                if session.id != by.session:
                    store.remove("session", session.id)
            after = f"{role.word}, new {changed.code_kind}" if pass_code else role.word
            store.add_event(self._event(by, "person_changed", person.name, person.role.word, after))

    def remove_person(self, by: Identity, person_id: str) -> None:
        """Removes a person; his sessions end. What he did stays on record."""
        person = self._person(person_id)
        self._keep_an_admin(person)
        with self._state.change() as store:
            store.remove("person", person.id)
            for session in self._sessions_of(person.id):
                store.remove("session", session.id)
            store.add_event(self._event(by, "person_removed", person.name, person.role.word))

    def end_session(self, by: Identity, session_id: str) -> None:
        """Ends somebody's session."""
        line = next((each for each in self.sessions() if each.id == session_id), None)
        if line is None:
            raise Refused(text("This session has ended already."))
        with self._state.change() as store:
            store.remove("session", session_id)
            store.add_event(self._event(by, "session_ended", line.person, line.device))

    def offer_pairing(self, by: Identity, name: str, kind: DeviceKind, role: Role) -> PairingOffer:
        """A code with which one device is paired within ten minutes, with at most the role of who offers it."""
        name = self._free_name(name)
        if role > by.role:
            raise Refused(text("You may pair devices up to your own role: {role}.", role=by.role.title))
        if kind == "screen" and role is not Role.VIEWER:
            raise Refused(text("A screen shows pages to the hall: pair it as Viewer."))
        offers = self.offers()
        if len(offers) >= MAX_OFFERS or len(self.devices()) >= MAX_DEVICES:
            raise Refused(text("Too many devices are paired or waiting: revoke those that are gone."))
        offer = PairingOffer(new_code(PAIRING_LETTERS), name, kind, role, by.author, self._state.now_s() + PAIRING_S)
        self._offers = {normalised(each.code): each for each in (*offers, offer)}
        self._state.record(self._event(by, "pairing_offered", name, after=role.word))
        return offer

    def offers(self) -> list[PairingOffer]:
        """The offers that can still be used."""
        now_s = self._state.now_s()
        return [each for each in self._offers.values() if 0 < each.expires_s - now_s <= PAIRING_S]

    def pair(self, code: str, shown: ShownTokens, address: str) -> str:
        """The fresh device token for a browser that shows the code of an offer, which is then used up."""
        keys = (f"pair {counted_prefix(address)}",)
        self._state.begin_try(keys)
        wanted = normalised(code[:MAX_TYPED])
        offer = next((each for each in self.offers() if normalised(each.code) == wanted), None)
        if offer is None or self._offers.pop(wanted, None) is None:
            self._state.record(AccessEvent(self._state.now_s(), "pairing_failed", subject=counted_prefix(address)))
            raise WrongCode(text("This code is wrong or has expired: ask for a new one."))
        token, now_s = new_token(), self._state.now_s()
        name = self.free_device_name(offer.name)
        device = PairedDevice(new_id(), name, offer.kind, offer.role, token_hash(token), offer.by, now_s)
        before = self._state.rules.device(shown.device)
        with self._state.change() as store:
            if before is not None:  # this browser, paired anew
                store.remove("device", before.id)
            store.put_device(device)
            store.add_event(AccessEvent(now_s, "paired", offer.by, device.name, device.kind, after=device.role.word))
        self._state.forget_tries(keys)
        return token

    def revoke_device(self, by: Identity, device_id: str) -> None:
        """Revokes a device or a script's token: its sessions, streams and stop end at once."""
        device = next((each for each in self.devices() if each.id == device_id), None)
        if device is None:
            raise Refused(text("This device is paired no more."))
        if device.role > by.role:
            raise Refused(text("Only an admin may revoke this device."))
        with self._state.change() as store:
            store.remove("device", device.id)
            for session in self._state.rules.sessions.values():
                if session.device_id == device.id:
                    store.remove("session", session.id)
            store.add_event(self._event(by, "device_revoked", device.name, device.role.word))

    def make_token(self, by: str, name: str, role: Role) -> str:
        """A token for a script, which acts under this name."""
        name = self._free_name(name)
        if self.by_key(name_key(name)) is not None:
            raise Refused(text("There is somebody named {name} already: choose another name.", name=name))
        token, now_s = new_token(), self._state.now_s()
        device = PairedDevice(new_id(), name, "script", role, token_hash(token), by, now_s)
        with self._state.change() as store:
            store.put_device(device)
            store.add_event(AccessEvent(now_s, "token_made", by, "", name, after=role.word))
        return token

    def free_device_name(self, wanted: str) -> str:
        """The name, or with a number behind it if another device has it."""
        taken = {name_key(each.name) for each in self.devices()}
        name = name_within(wanted, MAX_NAME - 4) or "browser"
        names = (name, *(f"{name} {number}" for number in range(2, MAX_DEVICES + 3)))
        return next(each for each in names if name_key(each) not in taken)

    def _free_name(self, name: str) -> str:
        name = checked_name(name)
        if any(name_key(each.name) == name_key(name) for each in self.devices()):
            raise Refused(text("A device named {name} is paired already: choose another name.", name=name))
        return name

    def _script_has(self, name: str) -> bool:
        return any(each.kind == "script" and name_key(each.name) == name_key(name) for each in self.devices())

    def _person(self, person_id: str) -> Person:
        person = self._state.rules.people.get(person_id)
        if person is None:
            raise Refused(text("This person was removed already."))
        return person

    def _keep_an_admin(self, person: Person) -> None:
        admins = [each for each in self.people() if each.role is Role.ADMIN]
        if admins == [person]:
            raise Refused(text("{name} is the only admin: make somebody else an admin first.", name=person.name))

    def _sessions_of(self, person_id: str) -> list[Session]:
        return [each for each in self._state.rules.sessions.values() if each.person_id == person_id]

    def _line(self, session: Session) -> SessionLine:
        identity = self._state.rules.identity_of(session)
        used_s = self._state.used_s.get(session.id, session.opened_s)
        return SessionLine(session.id, identity.person, identity.device, identity.role, session.opened_s, used_s)

    def _event(self, by: Identity, deed: Deed, subject: str, before: str = "", after: str = "") -> AccessEvent:
        return AccessEvent(self._state.now_s(), deed, by.author, by.device, subject, before, after)


def new_id() -> str:
    """A random id of a person, device or session, which proves nothing."""
    return secrets.token_hex(8)


def checked_name(name: str) -> str:
    """A person's or device's name as it is stored. Raises Refused."""
    try:
        return person_name(name, MAX_NAME)
    except Refused as refusal:
        raise Refused(str(refusal).replace("A racer's name", "A name")) from None
