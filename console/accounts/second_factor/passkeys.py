"""Passkeys (WebAuthn): what a browser is asked, and how its answer is checked. The cryptography is fido2's, by django-allauth.

Every passkey can do both: be the second step after a password, and sign in alone, as the device asks for a PIN, a finger or
a face. What a browser is asked is kept in its session, and good for one answer.
"""

import ipaddress
import json
import struct
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.exceptions import UnsupportedAlgorithm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from console.accounts.second_factor import factors

NAME_MAX_CHARACTERS = 64
ANSWER_MAX_CHARACTERS = 16_384

# What decoding a stranger's binary answer raises: all of it means that this is none.
_NO_ANSWER = (
    ValidationError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    struct.error,
    UnsupportedAlgorithm,
)


class WrongPasskey(Exception):
    """The answer is not one of a passkey that is known here, to what was asked last."""


def can_be_used(request: HttpRequest) -> bool:
    """Whether browsers offer passkeys for this address: `localhost`, or a name (no bare address) over https."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure()
    return False


def ask_new_passkey(person: User) -> dict[str, Any]:
    """What to ask a browser that shall make a passkey for this person: options for `navigator.credentials.create`."""
    return _auth().begin_registration(person, True)


def add_passkey(request: HttpRequest, person: User, *, name: str, answer: str) -> list[str]:
    """Keep the passkey that a browser made; the recovery codes if they are new. Raises WrongPasskey."""
    auth = _auth()
    credential = _read(answer)
    try:
        auth.parse_registration_response(credential)
        made = auth.complete_registration(credential)
        is_verified = made.is_user_verified()
    except _NO_ANSWER as error:
        raise WrongPasskey() from error
    finally:
        auth.clear_state()
    if not is_verified:
        raise WrongPasskey()
    with transaction.atomic():
        factors.hold(person)
        added = auth.WebAuthn.add(person, name.strip() or _next_name(person), credential).instance
        return factors.announce_added(request, added)


def rename_passkey(passkey: Authenticator, *, name: str) -> None:
    passkey.data["name"] = name
    passkey.save(update_fields=["data"])


def ask_passkey(person: User | None) -> dict[str, Any]:
    """What to ask a browser: options for `navigator.credentials.get`; of anybody for None, which asks the device to verify."""
    return _auth().begin_authentication(person)


def check_passkey(request: HttpRequest, answer: str, *, person: User | None) -> User:
    """Whose passkey answered: `person`'s, or for None anybody's, who has to be verified by the device. Raises WrongPasskey."""
    auth = _auth()
    credential = _read(answer)
    try:
        response = auth.parse_authentication_response(credential)
        owner: Any = auth.extract_user_from_response(credential) if person is None else person
        used = auth.complete_authentication(owner, credential)
        is_verified = response.response.authenticator_data.is_user_verified()
    except _NO_ANSWER as error:
        raise WrongPasskey() from error
    finally:
        auth.clear_state()
    if not owner.is_active or (person is None and not is_verified):
        raise WrongPasskey()
    factors.announce_used(request, used, is_alone=person is None)
    return owner


def _auth() -> Any:
    """Loaded when somebody first uses a passkey: with fido2 it takes some megabytes of each process."""
    from allauth.mfa.webauthn.internal import auth

    return auth


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > ANSWER_MAX_CHARACTERS:
        raise WrongPasskey()
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise WrongPasskey() from error
    if not isinstance(read, dict):
        raise WrongPasskey()
    return read


def _next_name(person: User) -> str:
    return f"Passkey {Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN).count() + 1}"
