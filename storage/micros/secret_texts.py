"""Texts that are a Micro's secrets, for whoever keeps what it answers: its data key and the values of its variables."""

from functools import lru_cache

import msgspec

from storage.errors import SecretsUnreadable
from storage.micros import sealing
from storage.models import Micro

_KEPT_MOST = 1_024


def list_secret_texts(micro: Micro) -> tuple[str, ...]:
    """Its data key's text and its variables' values, of any length; those that can't be unsealed here are left out."""
    return _unseal_texts(micro.id, bytes(micro.sealed_data_key), bytes(micro.sealed_variables))


# Asked for with every recorded request, and hardly ever others.
@lru_cache(maxsize=_KEPT_MOST)
def _unseal_texts(micro_id: str, sealed_key: bytes, sealed_variables: bytes) -> tuple[str, ...]:
    key, variables = _unseal(micro_id, sealed_key), _unseal(micro_id, sealed_variables)
    values = msgspec.json.decode(variables, type=dict[str, str]).values() if variables else ()
    return (*([key.decode()] if key else ()), *values)


def _unseal(micro_id: str, sealed: bytes) -> bytes:
    try:
        return sealing.unseal(sealed, micro_id=micro_id) if sealed else b""
    except SecretsUnreadable:
        return b""
