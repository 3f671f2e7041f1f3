"""The second factors of people, kept in django-allauth's table: an authenticator app, passkeys, recovery codes.

What can be typed is checked here (`accepts_code`); `passkeys.py` asks browsers for passkeys. Every change sends a signal of
`allauth.mfa.signals` within its transaction.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import signals
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from storage.collections import people, sign_in_rules

logger = logging.getLogger(__name__)

_PRIMARY = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class WrongCode(Exception):
    """Neither a code of the app that is valid now and was not used, nor a recovery code that is left."""


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a person has set up."""

    app: Authenticator | None = None
    passkeys: list[Authenticator] = field(default_factory=list)
    codes_left: int = 0

    @property
    def is_on(self) -> bool:
        return self.app is not None or bool(self.passkeys)

    @property
    def is_alone(self) -> bool:
        """Whether taking away one turns all off."""
        return len(self.passkeys) + (self.app is not None) == 1


def find_factors(person: User) -> SecondFactors:
    rows = list(Authenticator.objects.filter(user=person).order_by("created_at"))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return SecondFactors(
        app=next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        passkeys=[row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        codes_left=_count_codes(codes),
    )


def has_second_factor(person: User) -> bool:
    return _primary(person).exists()


def owes_second_factor(person: User) -> bool:
    """Whether the owner of the server requires one, and this person has none."""
    return sign_in_rules.is_second_factor_required() and not has_second_factor(person)


def kinds_by_person() -> dict[int, str]:
    """What each person has set up, in words, by the person's id; nobody without one is in it."""
    counts: dict[int, Counter[str]] = {}
    for person_id, kind in Authenticator.objects.filter(type__in=_PRIMARY).values_list("user_id", "type"):
        counts.setdefault(person_id, Counter())[kind] += 1
    return {person_id: _in_words(kinds) for person_id, kinds in counts.items()}


def make_secret() -> str:
    """A new secret for an app, in base 32."""
    return generate_totp_secret()


def turn_on_app(request: HttpRequest, person: User, *, secret: str, code: str) -> list[str]:
    """Set up the app that knows the secret; the recovery codes if they are new. Raises WrongCode, with nothing changed."""
    step = _find_step(secret, code)
    if step is None:
        raise WrongCode()
    with transaction.atomic():
        hold(person)
        Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).delete()
        data = {"secret": get_adapter().encrypt(secret), "last_step": step}
        added = Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data=data)
        return announce_added(request, added)


def announce_added(request: HttpRequest, added: Authenticator) -> list[str]:
    """Say that a factor was added, and make recovery codes when there are none; these, or nothing. In a transaction."""
    signals.authenticator_added.send(sender=Authenticator, request=request, user=added.user, authenticator=added)
    if Authenticator.objects.filter(user=added.user, type=Authenticator.Type.RECOVERY_CODES).exists():
        return []
    return _make_codes(request, added.user)


def hold(person: User) -> User:
    """In a transaction: the person's row, so that changes of one person's factors come one after another."""
    return User.objects.select_for_update().get(id=person.id)


def renew_codes(request: HttpRequest, person: User) -> list[str]:
    """New recovery codes; the old ones are void."""
    with transaction.atomic():
        hold(person)
        Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES).delete()
        return _make_codes(request, person)


def accepts_code(request: HttpRequest, person: User, code: str) -> bool:
    """Whether it is a code of the person's app, or a recovery code; it is used up then. Of a wrong one the caller says so.

    The person's rows are locked meanwhile: of two requests with one code only one gets in, in whichever process.
    """
    with transaction.atomic():
        rows = list(
            Authenticator.objects.select_for_update()
            .filter(user=person)
            .exclude(type=Authenticator.Type.WEBAUTHN)
            .order_by("-type")
        )
        used = next((row for row in rows if _accepts(row, code)), None)
        if used is not None:
            announce_used(request, used)
        return used is not None


def announce_failure(request: HttpRequest, person: User) -> None:
    """Say that somebody tried this person's second factor in vain."""
    signals.authentication_failed.send(
        sender=Authenticator,
        request=request,
        user=person,
        reauthentication=request.user.is_authenticated,
    )


def announce_used(request: HttpRequest, used: Authenticator, *, is_alone: bool = False) -> None:
    """Note and say that a factor was used; `is_alone`: without a password before it."""
    used.record_usage()
    signals.authenticator_used.send(
        sender=Authenticator,
        request=request,
        user=used.user,
        authenticator=used,
        reauthenticated=request.user.is_authenticated,
        passwordless=is_alone,
    )


def remove_factor(request: HttpRequest, removed: Authenticator) -> None:
    """Take away an app or a passkey; recovery codes go with the last one."""
    with transaction.atomic():
        person = hold(removed.user)
        gone = [removed]
        if not _primary(person).exclude(id=removed.id).exists():
            gone = list(Authenticator.objects.filter(user=person))
        _delete(request, gone)


def turn_off(request: HttpRequest, person: User) -> None:
    """Take away all of a person's own factors."""
    with transaction.atomic():
        hold(person)
        _delete(request, list(Authenticator.objects.filter(user=person)))


def reset(request: HttpRequest | None, person: User) -> bool:
    """Take away all factors of somebody who lost them, and sign them out everywhere; False when there were none.

    `request` is the owner's who does it, None from the command line.
    """
    with transaction.atomic():
        hold(person)
        rows = list(Authenticator.objects.filter(user=person))
        _delete(request, rows)
        people.end_sessions(person_id=person.id)
        return bool(rows)


def _in_words(kinds: Counter[str]) -> str:
    passkeys = kinds[Authenticator.Type.WEBAUTHN]
    told = ["app"] if kinds[Authenticator.Type.TOTP] else []
    if passkeys:
        told.append("passkey" if passkeys == 1 else f"{passkeys} passkeys")
    return ", ".join(told)


def _primary(person: User) -> "QuerySet[Authenticator]":
    return Authenticator.objects.filter(user=person, type__in=_PRIMARY)


def _delete(request: HttpRequest | None, rows: list[Authenticator]) -> None:
    for row in rows:
        Authenticator.objects.filter(id=row.id).delete()
        signals.authenticator_removed.send(sender=Authenticator, request=request, user=row.user, authenticator=row)


def _make_codes(request: HttpRequest, person: User) -> list[str]:
    made = RecoveryCodes.activate(person)
    signals.authenticator_reset.send(sender=Authenticator, request=request, user=person, authenticator=made.instance)
    return [f"{code[:5]} {code[5:]}" for code in made.generate_codes()]


def _count_codes(codes: Authenticator | None) -> int:
    if codes is None:
        return 0
    try:
        return len(RecoveryCodes(codes).get_unused_codes())
    except InvalidToken:
        return 0


def _accepts(row: Authenticator, code: str) -> bool:
    """Whether a locked row accepts the code; it is used up then."""
    try:
        if row.type == Authenticator.Type.RECOVERY_CODES:
            codes = RecoveryCodes(row)
            is_accepted = codes.validate_code(code)
            row.data = codes.instance.data
            return is_accepted
        step = _find_step(get_adapter().decrypt(row.data["secret"]), code)
    except InvalidToken:
        logger.warning("A second factor of person %d cannot be read: the server's secret key has changed", row.user_id)
        return False
    if step is None or step <= row.data.get("last_step", 0):
        return False
    row.data["last_step"] = step
    row.save(update_fields=["data"])
    return True


def _find_step(secret: str, code: str) -> int | None:
    """The half minute that a code of the app is for, of those that are good now."""
    steps = yield_hotp_counters_from_time()
    good = (
        step for step in steps if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step)))
    )
    return next(good, None)
