"""Passkeys (WebAuthn): a challenge for the browser, and its answer, to sign up, to sign in, or to add one.

A challenge is stored, holds for five minutes, and is used once. A passkey is of the host name for which it was made.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from leaderboard.accounts import records
from leaderboard.accounts.entrance.entrance import Entrance, SignedIn, Visitor
from leaderboard.accounts.limits import CHALLENGE_NS, MAX_CREDENTIALS
from leaderboard.core import alias as aliases
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed, WrongCredential
from leaderboard.store import audit
from leaderboard.store.tables import CHALLENGES, CREDENTIALS
from shared.errors import BadInput, Refused
from shared.text import text
from shared.units import NS_PER_S

Purpose = Literal["sign_up", "sign_in", "add"]
MAX_LABEL = 60
_SELECTION = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.PREFERRED
)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site as browsers see it: its host name (which no bare address can be), its origin, and its title."""

    rp_id: str
    origin: str
    title: str


@dataclass(frozen=True, slots=True)
class PasskeyChallenge:
    """What a browser is asked; `options` is the JSON that `navigator.credentials` takes."""

    challenge_id: str
    options: dict[str, Any]


class Passkeys:
    """Asks browsers for passkeys and checks their answers."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance, self._store = entrance, entrance.store

    def ask_to_sign_up(
        self, alias: str, name: str, site: RelyingParty, visitor: Visitor, now_utc_ns: int
    ) -> PasskeyChallenge:
        """The challenge for a new account's passkey. Raises Refused, Conflict, RateLimited."""
        alias = aliases.alias_of(alias)
        name = records.display_name(name, alias)
        self._entrance.throttle.sign_up(visitor.address, now_utc_ns / NS_PER_S)
        with self._store.write() as db:
            records.check_free(db, alias)
            return _ask_for_new(db, "sign_up", (records.new_account_id(), alias, name), site, now_utc_ns)

    def ask_to_sign_in(self, site: RelyingParty, visitor: Visitor, now_utc_ns: int) -> PasskeyChallenge:
        """The challenge for any passkey of this site. Raises RateLimited."""
        self._entrance.throttle.sign_in("", visitor.address, now_utc_ns / NS_PER_S)
        challenge = secrets.token_bytes(32)
        options = webauthn.generate_authentication_options(rp_id=site.rp_id, challenge=challenge)
        with self._store.write() as db:
            challenge_id = _store_challenge(db, "sign_in", ("", "", ""), site, challenge, now_utc_ns)
        return PasskeyChallenge(challenge_id, json.loads(webauthn.options_to_json(options)))

    def ask_to_add(self, caller: Caller, site: RelyingParty, now_utc_ns: int) -> PasskeyChallenge:
        """The challenge for one more passkey of the caller's account. Raises Refused for too many."""
        with self._store.write() as db:
            if len(records.credentials_of(db, caller.account_id)) >= MAX_CREDENTIALS:
                raise Refused(text("An account has at most {n} ways to sign in.", n=MAX_CREDENTIALS))
            return _ask_for_new(db, "add", (caller.account_id, caller.alias, caller.name), site, now_utc_ns)

    def signed_up(
        self, challenge_id: str, answer: dict[str, Any], site: RelyingParty, visitor: Visitor, now_utc_ns: int
    ) -> SignedIn:
        """A new account, by the answer of its browser. Raises BadInput, Conflict."""
        asked = self._used(challenge_id, "sign_up", site, now_utc_ns)
        with self._store.write() as db:
            made = records.add_account(db, asked.account_id, asked.alias, asked.name, now_utc_ns)
            _add(db, asked, answer, site, visitor.browser, now_utc_ns)
            return self._entrance.welcome(db, made, visitor, now_utc_ns, "a passkey", new=True)

    def signed_in(
        self, challenge_id: str, answer: dict[str, Any], site: RelyingParty, visitor: Visitor, now_utc_ns: int
    ) -> SignedIn:
        """A session, by a passkey that is known here. Raises BadInput, Unauthorized."""
        asked = self._used(challenge_id, "sign_in", site, now_utc_ns)
        with self._store.write() as db:
            row = db.execute(sa.select(CREDENTIALS).where(CREDENTIALS.c.credential_id == _id_in(answer))).first()
            if row is None or row.kind != "passkey" or row.rp_id != site.rp_id:
                raise WrongCredential(text("This passkey is not known here (any more): sign in another way."))
            count = _verified(answer, bytes.fromhex(row.secret), row.sign_count, asked.challenge, site)
            used = sa.update(CREDENTIALS).where(CREDENTIALS.c.credential_id == row.credential_id)
            db.execute(used.values(sign_count=count, used_utc_ns=now_utc_ns))
            account = records.account(db, row.account_id)
            return self._entrance.welcome(db, account, visitor, now_utc_ns, "a passkey")

    def added(
        self, caller: Caller, challenge_id: str, answer: dict[str, Any], label: str, site: RelyingParty, now_utc_ns: int
    ) -> None:
        """One more passkey for the caller's account. Raises BadInput, NotAllowed."""
        asked = self._used(challenge_id, "add", site, now_utc_ns)
        if asked.account_id != caller.account_id:
            raise NotAllowed(text("This challenge is another account's."))
        with self._store.write() as db:
            added = _add(db, asked, answer, site, label, now_utc_ns)
            after = {"passkey": added, "label": label[:MAX_LABEL]}
            audit.record(db, caller, now_utc_ns, "credential.add", f"account:{caller.account_id}", None, after)

    def _used(self, challenge_id: str, purpose: Purpose, site: RelyingParty, now_utc_ns: int) -> "_Asked":
        # Committed by itself: also a wrong answer uses the challenge up.
        with self._store.write() as db:
            return _use_challenge(db, challenge_id, purpose, site, now_utc_ns)


@dataclass(frozen=True, slots=True)
class _Asked:
    challenge: bytes
    account_id: str
    alias: str
    name: str


def _ask_for_new(
    db: sa.Connection, purpose: Purpose, whose: tuple[str, str, str], site: RelyingParty, now_utc_ns: int
) -> PasskeyChallenge:
    account_id, alias, name = whose
    challenge = secrets.token_bytes(32)
    known = sa.select(CREDENTIALS.c.credential_id).where(
        (CREDENTIALS.c.account_id == account_id) & (CREDENTIALS.c.kind == "passkey")
    )
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=site.title,
        user_id=account_id.encode(),
        user_name=alias,
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=_SELECTION,
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in db.execute(known).scalars()
        ],
    )
    challenge_id = _store_challenge(db, purpose, whose, site, challenge, now_utc_ns)
    return PasskeyChallenge(challenge_id, json.loads(webauthn.options_to_json(options)))


def _store_challenge(
    db: sa.Connection,
    purpose: Purpose,
    whose: tuple[str, str, str],
    site: RelyingParty,
    challenge: bytes,
    now_utc_ns: int,
) -> str:
    db.execute(sa.delete(CHALLENGES).where(CHALLENGES.c.expires_utc_ns <= now_utc_ns))
    values = {
        "challenge_id": secrets.token_urlsafe(24),
        "challenge": challenge.hex(),
        "purpose": purpose,
        "account_id": whose[0],
        "alias": whose[1],
        "name": whose[2],
        "rp_id": site.rp_id,
        "expires_utc_ns": now_utc_ns + CHALLENGE_NS,
    }
    db.execute(sa.insert(CHALLENGES), values)
    return str(values["challenge_id"])


def _use_challenge(
    db: sa.Connection, challenge_id: str, purpose: Purpose, site: RelyingParty, now_utc_ns: int
) -> _Asked:
    which = (CHALLENGES.c.challenge_id == challenge_id) & (CHALLENGES.c.purpose == purpose)
    row = db.execute(sa.select(CHALLENGES).where(which)).first() if challenge_id.isprintable() else None
    used = db.execute(sa.delete(CHALLENGES).where(which)).rowcount if row is not None else 0
    if row is None or used != 1 or row.expires_utc_ns <= now_utc_ns or row.rp_id != site.rp_id:
        raise BadInput(text("This passkey's challenge is over: it holds for five minutes and for one try. Try again."))
    return _Asked(bytes.fromhex(row.challenge), row.account_id, row.alias, row.name)


def _add(
    db: sa.Connection, asked: _Asked, answer: dict[str, Any], site: RelyingParty, label: str, now_utc_ns: int
) -> str:
    verified = _registered(answer, asked.challenge, site)
    credential_id = bytes_to_base64url(verified.credential_id)
    if db.execute(sa.select(CREDENTIALS.c.kind).where(CREDENTIALS.c.credential_id == credential_id)).first():
        raise BadInput(text("This passkey belongs to an account already."))
    values = {
        "credential_id": credential_id,
        "account_id": asked.account_id,
        "kind": "passkey",
        "label": "".join(sign for sign in label[:MAX_LABEL] if sign.isprintable()),
        "secret": verified.credential_public_key.hex(),
        "rp_id": site.rp_id,
        "sign_count": verified.sign_count,
        "created_utc_ns": now_utc_ns,
    }
    db.execute(sa.insert(CREDENTIALS), values)
    return credential_id


def _registered(answer: dict[str, Any], challenge: bytes, site: RelyingParty) -> VerifiedRegistration:
    """The new passkey in a browser's answer. Raises BadInput."""
    try:
        return webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        raise BadInput(text("The passkey's answer is not valid here: try again.")) from None


def _verified(answer: dict[str, Any], public_key: bytes, uses: int, challenge: bytes, site: RelyingParty) -> int:
    """The passkey's new count of uses, of which there were `uses`. Raises WrongCredential."""
    try:
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=uses,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        raise WrongCredential(text("The passkey's answer is not valid here: try again.")) from None
    return verified.new_sign_count


def _id_in(answer: dict[str, Any]) -> str:
    found = answer.get("id")
    return found[:1400] if isinstance(found, str) and found.isascii() and found.isprintable() else ""
