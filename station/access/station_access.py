"""Access to the station: who a request is, the claim, signing in and out.

Made by commands/station.py, called by the web.

    access = open_access(config.data_dir, config.access.limits)
    access.identify(shown)  # memory only: never waits for the disk, a lock or a slow hash

People and devices are managed through `access.people` (people_and_devices.py). Comparing a PIN takes about 0.1 s of a
core by intention: call what signs in on a thread of a small pool.
"""

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.access.pass_code_hashing import Argon2idHasher, PassCodeHasher
from shared.access.tokens import new_token, token_hash
from shared.addresses import counted_prefix
from shared.errors import OperatorError, Refused, WrongCode, WrongPassCode
from shared.rules.person_names import name_key
from shared.text import text
from station.access.access_rules import SessionLimits
from station.access.access_state import AccessState, steady_utc
from station.access.access_store import ACCESS, AccessStore
from station.access.claim_code import ClaimCodeFile
from station.access.identity import Identity
from station.access.pass_codes import pass_code_kind
from station.access.people_and_devices import PeopleAndDevices, checked_name, new_id
from station.access.records import AccessEvent, Deed, PairedDevice, Person, Session
from station.access.roles import Role
from station.access.settings import AccessOptions
from station.access.tokens import ShownTokens
from station.store.database import FileDamaged

MAX_TYPED = 128


def open_access(data_dir: pathlib.Path, limits: SessionLimits) -> "StationAccess":
    """Access to the station with this data folder. Raises StorageError, OperatorError for a damaged file."""
    return StationAccess(_open_state(data_dir, limits), ClaimCodeFile(data_dir))


def script_token(data_dir: pathlib.Path, by: str, name: str, role: Role) -> str:
    """A new token for a script, made on the station's machine, whether the station runs or not. Raises Refused."""
    state = _open_state(data_dir, AccessOptions().limits)
    try:
        return PeopleAndDevices(state, Argon2idHasher()).make_token(by, name, role)
    finally:
        state.close()


def _open_state(data_dir: pathlib.Path, limits: SessionLimits) -> AccessState:
    try:
        return AccessState(AccessStore(data_dir / ACCESS), limits, steady_utc())
    except FileDamaged as damage:
        raise OperatorError(
            f"{damage} It holds people and devices, no results: move it away, and claim the station anew."
        ) from None


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """The fresh tokens for a browser's cookies; `device` "": its device is as it was."""

    session: str
    device: str = ""


class StationAccess:
    """Thread-safe. What a person must mend is a BadInput, Refused or TooManyTries with one sentence."""

    def __init__(self, state: AccessState, claim_code: ClaimCodeFile, hasher: PassCodeHasher | None = None) -> None:
        self._state, self._claim_code = state, claim_code
        self._hasher = Argon2idHasher() if hasher is None else hasher
        self._nobody = self._hasher.hash(new_token())  # compared with if there is no such person: takes as long
        self.people = PeopleAndDevices(state, self._hasher)

    @property
    def claimed(self) -> bool:
        """Is there an admin?"""
        return any(person.role is Role.ADMIN for person in self._state.rules.people.values())

    @property
    def may_be_claimed(self) -> bool:
        """Is a claim code waiting to be used? Raises StorageError."""
        return bool(self.claim_code_to_show())

    @property
    def absolute_s(self) -> float:
        """How long a session lasts at most, in seconds."""
        return self._state.rules.limits.absolute_s

    @property
    def state(self) -> AccessState:
        return self._state

    def identify(self, shown: ShownTokens) -> Identity:
        """Who showed these tokens; counts as use of the session and the device."""
        rules = self._state.rules
        identity = rules.identity(shown, self._state.used_s, self._state.now_s())
        if identity.session:
            self._state.note_use(identity.session)
        if (identity.device or identity.session) and (device := rules.device(shown.bearer or shown.device)) is not None:
            self._state.note_use(device.id)
        return identity

    def is_valid(self, identity: Identity) -> bool:
        """Does what this identity was based on still hold? Asked by open streams; counts as no use."""
        return self._state.rules.is_valid(identity, self._state.used_s, self._state.now_s())

    def change_settings(self, by: Identity, settings: Mapping[str, str]) -> None:
        """Stores what was chosen in the browser: "station" and "language". Raises StorageError."""
        before = self._state.settings
        changed = {key: value for key, value in settings.items() if before.get(key, "") != value}
        if not changed:
            return
        with self._state.change() as store:
            for key, value in changed.items():
                store.put_setting(key, value)
                store.add_event(
                    AccessEvent(
                        self._state.now_s(), "setting_changed", by.author, by.device, key, before.get(key, ""), value
                    )
                )

    def claim_code_to_show(self) -> str:
        """The code for the console while nobody has claimed the station, or a new one was asked for; "" else."""
        if self.claimed:
            return self._claim_code.read()
        return self._claim_code.read() or self._claim_code.renew()

    def renew_claim_code(self, by: str) -> str:
        """A new claim code, for an admin who lost his PIN, asked for by somebody at the machine itself."""
        self._note("claim_code_reset", by)
        return self._claim_code.renew()

    def claim(self, code: str, name: str, pass_code: str, device_name: str, address: str) -> OpenedSession:
        """Makes the first admin, or gives an admin a new PIN, and pairs his browser. The code is then used up."""
        name = checked_name(name)
        kind = pass_code_kind(pass_code, Role.ADMIN)
        keys = (f"claim {counted_prefix(address)}",)
        self._state.begin_try(keys)
        if not self._claim_code.matches(code):
            self._note("claim_failed", subject=counted_prefix(address))
            raise WrongCode(
                text("This is not the station's claim code. It stands on the station's console and in its log.")
            )
        stored = self._hasher.hash(pass_code)
        known = self.people.by_key(name_key(name))
        person = Person(known.id if known else new_id(), name, Role.ADMIN, kind, stored)
        token, now_s = new_token(), self._state.now_s()
        device = PairedDevice(
            new_id(), self.people.free_device_name(device_name), "laptop", Role.ADMIN, token_hash(token), name, now_s
        )
        with self._state.change() as store:
            store.put_person(person, name_key(name))
            store.put_device(device)
            store.add_event(AccessEvent(now_s, "claimed", name, device.name, after=Role.ADMIN.word))
            self._claim_code.remove()
        self._state.forget_tries(keys)
        return replace(self._open(person, device, ShownTokens()), device=token)

    def sign_in(self, name: str, pass_code: str, shown: ShownTokens, address: str) -> OpenedSession:
        """Opens a session: with a PIN on a paired device, with a passphrase on any. The browser's old one ends."""
        rules = self._state.rules
        device, key = rules.device(shown.device), name_key(name[: 4 * MAX_TYPED])
        if device is not None and device.role < Role.RACER:
            raise Refused(text("This device is paired for looking only: an operator can pair it again."))
        where = counted_prefix(address)
        keys = (f"device {device.id} {key}",) if device is not None else (f"address {where}", f"name {token_hash(key)}")
        self._state.begin_try(keys)
        person = self.people.by_key(key)
        right = self._hasher.matches(person.code_hash if person else self._nobody, pass_code[:MAX_TYPED])
        if person is None or not right or (device is None and person.code_kind == "pin"):
            known = person.name if person else ""
            self._note("sign_in_failed", known, device.name if device else "", where)
            raise WrongPassCode(self._wrong(device is not None))
        self._state.forget_tries(keys)
        return self._open(person, device, shown)

    def sign_out(self, identity: Identity) -> None:
        """Ends this session. Raises StorageError."""
        if identity.session:
            with self._state.change() as store:
                store.remove("session", identity.session)
                store.add_event(AccessEvent(self._state.now_s(), "signed_out", identity.person, identity.device))

    def confirm_pin(self, session: str, pass_code: str) -> None:
        """Checks that whoever presses is the person of this session (its id). Raises Refused if not, TooManyTries."""
        rules = self._state.rules
        opened = next((each for each in rules.sessions.values() if each.id == session), None)
        if opened is None or not rules.is_open(opened, self._state.used_s, self._state.now_s()):
            raise Refused(text("Sign in first."))
        identity, person = rules.identity_of(opened), rules.people[opened.person_id]
        keys = (f"session {session}",)
        self._state.begin_try(keys)
        if not self._hasher.matches(person.code_hash, pass_code[:MAX_TYPED]):
            self._note("pin_refused", identity.person, identity.device)
            raise WrongPassCode(text("This is not the PIN or passphrase of {person}.", person=identity.person))
        self._state.forget_tries(keys)
        self._note("pin_confirmed", identity.person, identity.device)

    def confirm_second(self, name: str, pass_code: str, first: Identity) -> str:
        """Checks that a second official stands at the screen; returns his name. Raises Refused, TooManyTries."""
        person = self.people.by_key(name_key(name[: 4 * MAX_TYPED]))
        keys = (f"session {first.session}",)
        self._state.begin_try(keys)
        right = self._hasher.matches(person.code_hash if person else self._nobody, pass_code[:MAX_TYPED])
        if person is None or not right or person.role < Role.REFEREE:
            self._note("pin_refused", person.name if person else "", first.device)
            raise WrongPassCode(text("Name and PIN of the second official do not match."))
        if person.name == first.person:
            raise Refused(text("The second official is another person than you."))
        self._state.forget_tries(keys)
        self._note("pin_confirmed", person.name, first.device)
        return person.name

    def close(self) -> None:
        self._state.close()

    def _open(self, person: Person, device: PairedDevice | None, shown: ShownTokens) -> OpenedSession:
        token, now_s = new_token(), self._state.now_s()
        session = Session(new_id(), token_hash(token), person.id, device.id if device else "", now_s)
        rules = self._state.rules
        over = [each.id for each in rules.sessions.values() if not rules.is_open(each, self._state.used_s, now_s)]
        old = rules.sessions.get(token_hash(shown.session))
        with self._state.change() as store:
            for ended in (*over, *([old.id] if old is not None else [])):
                store.remove("session", ended)
            store.put_session(session)
            store.add_event(AccessEvent(now_s, "signed_in", person.name, device.name if device else ""))
        return OpenedSession(token)

    def _note(self, deed: Deed, person: str = "", device: str = "", subject: str = "") -> None:
        self._state.record(AccessEvent(self._state.now_s(), deed, person, device, subject))

    @staticmethod
    def _wrong(paired: bool) -> str:
        if paired:
            return text("This is not the PIN or passphrase of this person.")
        return text(
            "Name and passphrase do not match. On a device that is not paired only a passphrase opens a session; "
            "an operator can pair this one."
        )
