"""How a terminal becomes a person's: it asks, the person allows it in a browser, and the terminal collects its token, once.

The terminal makes up a secret (the verifier) and sends its SHA-256. Only who has the secret collects the token, so the address of
the page, which is shown and typed, is worth nothing. Page and terminal show the same code: a person who compares them sees
that it is this terminal that is allowed, and not one of somebody who sent them the address.
"""

import hashlib
import re
import secrets
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import constant_time_compare

from storage import disk_space, limits
from storage.access_tokens import tokens
from storage.access_tokens.tokens import NewToken
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import InvalidInput, SignInNotFound, SignInOver, SignInRefused, TooManySignIns
from storage.models import TerminalSignIn
from storage.postgres import clock
from storage.throttles import tries
from storage.throttles.tries import Counter, Limit

State = TerminalSignIn.State

# No vowels, so that no code is a word.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_HALF = 4
_CHALLENGE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_WRONG_VERIFIERS = Limit(
    "terminal sign-in verifier", limits.SIGN_IN_WRONG_VERIFIERS, limits.TERMINAL_SIGN_IN_MINUTES * 60
)


def start(*, challenge: str, device: str, address: str) -> TerminalSignIn:
    """A terminal asks to be let in. `challenge` is the SHA-256 of its secret, in hexadecimal.

    Raises InvalidInput, TooManySignIns while very many wait, and DiskFull.
    """
    disk_space.check_space_for_items()
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidInput("`challenge` is not a SHA-256 in hexadecimal")
    device = tokens.check_name(device)
    with transaction.atomic():
        now = clock.now()
        # What is over is told so for as long again; then it was never there.
        kept_since = now - timedelta(minutes=limits.TERMINAL_SIGN_IN_MINUTES)
        TerminalSignIn.objects.filter(expires_at__lt=kept_since).delete()
        if TerminalSignIn.objects.count() >= limits.TERMINAL_SIGN_INS_MAX:
            raise TooManySignIns()
        return TerminalSignIn.objects.create(
            challenge=bytes.fromhex(challenge),
            code=f"{_letters()}-{_letters()}",
            device=device,
            address=address,
            expires_at=now + timedelta(minutes=limits.TERMINAL_SIGN_IN_MINUTES),
        )


def find(sign_in_id: UUID) -> TerminalSignIn:
    """One that waits for an answer. Raises SignInNotFound, and SignInOver for one that is answered, or too old."""
    return _check_waits(TerminalSignIn.objects.filter(id=sign_in_id).first())


def allow(*, sign_in_id: UUID, person: User) -> TerminalSignIn:
    """The person lets the terminal act for them. Raises as `find` does."""
    with transaction.atomic():
        sign_in = _hold_waiting(sign_in_id)
        sign_in.state, sign_in.person = State.ALLOWED, person
        sign_in.session_hash = person.get_session_auth_hash()
        sign_in.save(update_fields=["state", "person", "session_hash"])
        audit.record(Verb.TERMINAL_ALLOWED, about=sign_in.device, details=_told(sign_in))
        return sign_in


def refuse(*, sign_in_id: UUID) -> TerminalSignIn:
    """The person does not know this terminal. Raises as `find` does."""
    with transaction.atomic():
        sign_in = _hold_waiting(sign_in_id)
        sign_in.state = State.REFUSED
        sign_in.save(update_fields=["state"])
        audit.record(Verb.TERMINAL_REFUSED, about=sign_in.device, details=_told(sign_in))
        return sign_in


def collect(*, sign_in_id: UUID, verifier: str) -> NewToken | None:
    """The terminal's token, made now and given once; None while nobody has answered.

    Raises SignInNotFound (also for a wrong verifier), SignInRefused, SignInOver (collected already, or too old), and InvalidInput
    where the person has too many tokens.
    """
    found = TerminalSignIn.objects.filter(id=sign_in_id).first()
    if found is None:
        raise SignInNotFound()
    if not _is_verified(found, verifier):
        if tries.take_try([Counter(_WRONG_VERIFIERS, (str(sign_in_id),))]).wait_seconds:
            # Somebody guesses: nobody gets in by this one.
            TerminalSignIn.objects.filter(id=sign_in_id).update(state=State.SPENT)
        raise SignInNotFound()
    if found.state == State.WAITING and found.expires_at > clock.now():
        return None
    with transaction.atomic():
        return _collect(sign_in_id)


def _collect(sign_in_id: UUID) -> NewToken:
    sign_in = TerminalSignIn.objects.select_for_update(of=("self",)).filter(id=sign_in_id).first()
    if sign_in is None:
        raise SignInNotFound()
    if sign_in.state == State.REFUSED:
        raise SignInRefused()
    person = sign_in.person
    if sign_in.state != State.ALLOWED or sign_in.expires_at <= clock.now() or person is None or not person.is_active:
        raise SignInOver()
    if not constant_time_compare(sign_in.session_hash, person.get_session_auth_hash()):
        raise SignInOver("The password was changed meanwhile")
    sign_in.state = State.SPENT
    sign_in.save(update_fields=["state"])
    with actors.acting(lambda: actors.person(person, address=sign_in.address)):
        return tokens.add_token(person=person, name=sign_in.device, is_in_use=True)


def _hold_waiting(sign_in_id: UUID) -> TerminalSignIn:
    return _check_waits(TerminalSignIn.objects.select_for_update().filter(id=sign_in_id).first())


def _check_waits(found: TerminalSignIn | None) -> TerminalSignIn:
    if found is None:
        raise SignInNotFound()
    if found.state != State.WAITING or found.expires_at <= clock.now():
        raise SignInOver()
    return found


def _is_verified(sign_in: TerminalSignIn, verifier: str) -> bool:
    return secrets.compare_digest(hashlib.sha256(verifier.encode()).digest(), bytes(sign_in.challenge))


def _letters() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_HALF))


def _told(sign_in: TerminalSignIn) -> dict[str, object]:
    return {"from": sign_in.address}
