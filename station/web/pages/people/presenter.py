"""The texts of the page of people and devices. Pure: times are arguments."""

from dataclasses import dataclass

from shared.text import Sentence, ntext, text
from station.access.identity import Identity
from station.access.people_and_devices import PairingOffer, PeopleAndDevices
from station.access.records import DEVICE_KINDS, DeviceKind
from station.access.roles import Role
from station.exports.qr import qr_svg

KIND_TITLES: dict[DeviceKind, Sentence] = {
    "tablet": text("Tablet"),
    "phone": text("Phone"),
    "laptop": text("Laptop"),
    "screen": text("Screen for the hall"),
    "script": text("Script"),
}
DONE: dict[str, Sentence] = {
    "paired": text("Show the code below to the new device."),
    "revoked": text("The device is revoked."),
    "ended": text("The session is ended."),
    "added": text("The person is added."),
    "changed": text("The change is saved."),
    "removed": text("The person is removed."),
}


@dataclass(frozen=True, slots=True)
class OfferCard:
    """An open pairing code: its QR code leads to `address`."""

    offer: PairingOffer
    qr: str
    address: str
    left: Sentence


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A paired device or a script's token."""

    id: str
    name: str
    kind: Sentence
    role: Sentence
    paired_by: str
    last_used: Sentence
    revocable: bool
    here: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    """An open session."""

    id: str
    person: str
    device: str
    role: Sentence
    last_used: Sentence
    here: bool


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person, as an admin manages him."""

    id: str
    name: str
    role: Role
    code: Sentence


@dataclass(frozen=True, slots=True)
class PeoplePanel:
    """Everything on the page."""

    offers: tuple[OfferCard, ...]
    devices: tuple[DeviceRow, ...]
    sessions: tuple[SessionRow, ...]
    people: tuple[PersonRow, ...]
    kinds: tuple[tuple[DeviceKind, Sentence], ...]
    pairing_roles: tuple[Role, ...]
    roles: tuple[Role, ...]


def people_panel(people: PeopleAndDevices, me: Identity, origin: str, now_s: float) -> PeoplePanel:
    """The page for `me`. `origin`: how devices in the hall reach this station, such as "http://10.0.0.5:8080"."""
    offers = (OfferCard(each, _qr(each, origin), f"{origin}/pair", _left(each, now_s)) for each in people.offers())
    devices = (
        DeviceRow(
            device.id,
            device.name,
            KIND_TITLES[device.kind],
            device.role.title,
            device.paired_by,
            ago(people.last_used_s(device.id), now_s),
            device.role <= me.role,
            device.name == me.device,
        )
        for device in people.devices()
    )
    sessions = (
        SessionRow(line.id, line.person, line.device, line.role.title, ago(line.used_s, now_s), line.id == me.session)
        for line in people.sessions()
    )
    codes = {"pin": text("PIN"), "passphrase": text("Passphrase")}
    persons = (PersonRow(each.id, each.name, each.role, codes[each.code_kind]) for each in people.people())
    return PeoplePanel(
        tuple(offers),
        tuple(devices),
        tuple(sessions),
        tuple(persons),
        tuple((kind, KIND_TITLES[kind]) for kind in DEVICE_KINDS),
        tuple(role for role in (Role.REFEREE, Role.OPERATOR, Role.ADMIN, Role.RACER, Role.VIEWER) if role <= me.role),
        (Role.REFEREE, Role.OPERATOR, Role.ADMIN, Role.RACER),
    )


def ago(at_s: float | None, now_s: float) -> Sentence:
    """How long ago something was, in the largest fitting unit."""
    if at_s is None:
        return text("never")
    seconds = max(0, round(now_s - at_s))
    if seconds < 60:
        return text("now")
    if seconds < 3600:
        return ntext("{n} minute ago", "{n} minutes ago", n=seconds // 60)
    if seconds < 86_400:
        return ntext("{n} hour ago", "{n} hours ago", n=seconds // 3600)
    return ntext("{n} day ago", "{n} days ago", n=seconds // 86_400)


def _left(offer: PairingOffer, now_s: float) -> Sentence:
    minutes = max(1, round((offer.expires_s - now_s) / 60))
    return ntext("valid for {n} more minute", "valid for {n} more minutes", n=minutes)


def _qr(offer: PairingOffer, origin: str) -> str:
    return qr_svg(f"{origin}/pair#{offer.code}").decode()
