"""An authenticator app for tests, and people who have set one up."""

import base64
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import User


@dataclass(frozen=True)
class App:
    """What knows a secret, as RFC 6238 has it."""

    secret: str

    def code(self, *, steps_ago: int = 0) -> str:
        """Of the half minute so many before this one."""
        step = int(time.time()) // 30 - steps_ago
        digest = hmac.new(base64.b32decode(self.secret), struct.pack(">Q", step), hashlib.sha1).digest()
        start = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"

    def wrong_code(self) -> str:
        """One that is good at no time near."""
        near = {self.code(steps_ago=steps) for steps in range(-5, 6)}
        return next(
            code for code in ("000000", "111111", "222222", *map(str, range(100000, 100020))) if code not in near
        )


def give_app(person: User) -> App:
    """A person has an app from now on, and recovery codes."""
    app = App(base64.b32encode(hashlib.sha256(person.username.encode()).digest()[:20]).decode())
    data = {"secret": get_adapter().encrypt(app.secret)}
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data=data)
    RecoveryCodes.activate(person)
    return app


def recovery_codes(person: User) -> list[str]:
    """Those that are left."""
    kept = Authenticator.objects.get(user=person, type=Authenticator.Type.RECOVERY_CODES)
    return RecoveryCodes(kept).get_unused_codes()
