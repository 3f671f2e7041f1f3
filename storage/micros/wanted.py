"""What should run: of every Micro whose code is deployed, all that starting it takes, its secrets unsealed."""

import logging
from functools import lru_cache
from uuid import UUID

import msgspec
from django.conf import settings

from storage import micro_addresses
from storage.errors import DeploymentNotFound, SecretsUnreadable
from storage.micros import sealing
from storage.micros import sql as micros_sql
from storage.micros.host import Wanted
from storage.micros.runtimes import read_runtime
from storage.micros.sql import WantedRow
from storage.postgres.database import run

logger = logging.getLogger(__name__)


def list_wanted() -> list[Wanted]:
    """What should run on every machine, by the Micros' ids; nothing while Micros are switched off.

    A Micro whose secrets can't be unsealed is left out: without them it would not be the same. Raises EngineUnreachable.
    """
    if not settings.MICROS_ARE_ON:
        return []
    return [wanted for row in run(micros_sql.list_wanted()) if (wanted := _make_if_readable(row))]


def find_wanted(deployment_id: UUID) -> Wanted:
    """What should run for a Micro if this deployment of it did. Raises DeploymentNotFound, SecretsUnreadable."""
    rows = run(micros_sql.find_wanted(deployment_id))
    if not rows:
        raise DeploymentNotFound()
    return _make(rows[0])


def _make_if_readable(row: WantedRow) -> Wanted | None:
    try:
        return _make(row)
    except SecretsUnreadable:
        _complain(row.micro_id, row.version)
        return None


def _make(row: WantedRow) -> Wanted:
    runtime = read_runtime(row.runtime)
    return Wanted(
        micro_id=row.micro_id,
        collection_id=row.collection_id,
        deployment_id=row.deployment_id,
        dependencies_id=row.dependencies_id,
        runtime=runtime.kind,
        version=runtime.version,
        version_number=row.version,
        hostname=micro_addresses.hostname(row.subdomain),
        data_key=_unseal(row.micro_id, bytes(row.sealed_data_key)),
        variables=msgspec.json.decode(_unseal(row.micro_id, bytes(row.sealed_variables)) or "{}", type=dict[str, str]),
        idle_seconds=row.idle_minutes * 60.0,
        is_kept_warm=row.is_kept_warm,
    )


# The list is read every second, and hardly ever changes.
@lru_cache(maxsize=4_096)
def _unseal(micro_id: str, sealed: bytes) -> str:
    return sealing.unseal(sealed, micro_id=micro_id).decode() if sealed else ""


@lru_cache(maxsize=1_024)
def _complain(micro_id: str, version: int) -> None:
    """Once for each version of a Micro."""
    logger.error("The Micro %s (version %s) does not run: %s", micro_id, version, SecretsUnreadable.default)
