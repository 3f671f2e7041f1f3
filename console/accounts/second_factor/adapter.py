"""What django-allauth asks of us about second factors: how secrets are stored, and who we say we are. Settings name it."""

import base64
from functools import lru_cache

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth.models import User

ISSUER = "Homeport"


@lru_cache(maxsize=1)
def _cipher(secret_key: str) -> Fernet:
    key = HKDF(hashes.SHA256(), length=32, salt=None, info=b"homeport.second-factor").derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are encrypted with a key made of the server's secret key, so the database alone gives none away."""

    def encrypt(self, text: str) -> str:
        return _cipher(settings.SECRET_KEY).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises InvalidToken when the server's secret key is another one now."""
        return _cipher(settings.SECRET_KEY).decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return ISSUER

    def get_totp_label(self, user: User) -> str:
        """The person and the server, as people have accounts on several."""
        return f"{ISSUER}:{user.get_username()} at {context.request.get_host()}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().rpartition(":")[0] or context.request.get_host(), "name": ISSUER}
