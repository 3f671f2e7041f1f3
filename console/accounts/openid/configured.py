"""Which provider the settings name, if any."""

import hashlib

from django.conf import settings


def openid_name() -> str:
    """What people call the provider; "" where there is none."""
    return settings.OIDC_NAME if settings.OIDC_ISSUER else ""


def provider_id() -> str:
    """Under what links to its accounts are kept: another issuer's account of the same id is another account."""
    return f"openid-{hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()[:32]}"
