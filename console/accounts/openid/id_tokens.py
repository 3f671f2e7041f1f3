"""ID tokens of OpenID Connect: what has to hold before one is believed (OpenID Connect Core 1.0, 3.1.3.7)."""

import hmac
from typing import Any

import jwt

from storage.names import is_text

# Signed by the provider's private key alone: no `none`, and no secret that both sides know.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# What is read of them besides the subject.
WANTED = ("email", "email_verified", "preferred_username", "name")
SUBJECT_MAX_CHARACTERS = 191
_TEXT_MAX_CHARACTERS = 254  # as long as an e-mail address can be
_CLOCKS_DIFFER_SECONDS = 60


def verify_id_token(token: object, *, keys: dict[str, Any], issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of a token that this provider made, for us, now, for this sign-in: `sub` and of WANTED what it tells.

    `keys` is the provider's key set. Raises ValueError with what is wrong, never with the token.
    """
    if not isinstance(token, str):
        raise ValueError("there is no ID token")
    try:
        claims = jwt.decode(
            token,
            key=_find_key(jwt.get_unverified_header(token), keys),
            algorithms=list(ALGORITHMS),
            issuer=issuer,
            audience=client_id,
            leeway=_CLOCKS_DIFFER_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except jwt.PyJWTError as error:
        raise ValueError(f"the ID token is not valid ({type(error).__name__})") from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client_id:
        raise ValueError("the ID token is for somebody else")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise ValueError("the ID token is for another sign-in")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX_CHARACTERS or not is_text(subject):
        raise ValueError("the ID token's subject is not one")
    return {"sub": subject} | readable_claims(claims)


def readable_claims(claims: dict[str, Any]) -> dict[str, Any]:
    """What is read of claims, without what can't be kept: people choose some of it themselves at their provider."""
    return {name: claims[name] for name in WANTED if name in claims and _is_readable(claims[name])}


def verified_email(claims: dict[str, Any]) -> str:
    """The e-mail address, in lower case, if the provider has verified it; else ""."""
    email = claims.get("email")
    is_verified = claims.get("email_verified") in (True, "true")
    return email.strip().lower() if is_verified and isinstance(email, str) and "@" in email else ""


def _is_readable(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and len(value) <= _TEXT_MAX_CHARACTERS and is_text(value))


def _find_key(header: dict[str, Any], keys: dict[str, Any]) -> jwt.PyJWK:
    """The provider's key that a token's header names, or its only one. Raises PyJWTError, ValueError."""
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise ValueError(f"the ID token is signed by {algorithm!r}")
    found = [
        key
        for key in keys.get("keys", [])
        if isinstance(key, dict) and key.get("use", "sig") == "sig" and header.get("kid") in (None, key.get("kid"))
    ]
    if len(found) != 1:
        raise ValueError("the ID token is signed by a key that the provider does not name")
    return jwt.PyJWK(found[0], algorithm=algorithm)
