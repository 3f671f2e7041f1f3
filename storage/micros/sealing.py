"""Encrypts what a Micro must not lose to whoever reads the database: its variables and its data key.

The key is derived from `SECRET_KEY`, which the database does not have, and from the Micro's id, so that what was sealed for one
Micro can't be put into another's row. Keys of `SECRET_KEY_FALLBACKS` still open what was sealed with them.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

from storage.errors import SecretsUnreadable

_PURPOSE = b"homeport: secrets of the Micro "


def seal(content: bytes, *, micro_id: str) -> bytes:
    """These bytes, encrypted and signed for one Micro."""
    return _box(micro_id, _secret_keys()).encrypt(content)


def unseal(sealed: bytes | memoryview, *, micro_id: str) -> bytes:
    """What was sealed for this Micro. Raises SecretsUnreadable when that was with another key, or it was changed since."""
    try:
        return _box(micro_id, _secret_keys()).decrypt(bytes(sealed))
    except InvalidToken:
        raise SecretsUnreadable from None


def _secret_keys() -> tuple[str | bytes, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=1_024)
def _box(micro_id: str, secret_keys: tuple[str | bytes, ...]) -> MultiFernet:
    return MultiFernet([_derive(micro_id, each) for each in secret_keys])


def _derive(micro_id: str, secret_key: str | bytes) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE + micro_id.encode()).derive(force_bytes(secret_key))
    return Fernet(base64.urlsafe_b64encode(derived))
