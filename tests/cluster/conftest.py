"""One cluster of three machines for all tests here, on this machine: `deploy/cluster/` as it stands."""

import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cluster.one_machine import Cluster, missing_programs
from tests.cluster.front import Front


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if sys.platform != "linux":
        pytest.skip("A cluster on one machine needs Linux, where all of 127.0.0.0/8 is this machine.")
    if missing_programs():
        pytest.skip(f"A cluster needs Debian's {', '.join(missing_programs())}.")
    folder = Path(tempfile.mkdtemp(prefix="homeport-cluster-")).resolve()
    made = Cluster(folder, environment={"HOMEPORT_WORKERS": "1", "HOMEPORT_MICROS": "false", "HOMEPORT_CACHE_MB": "0"})
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def front(cluster: Cluster) -> Iterator[Front]:
    """The cluster as its clients see it."""
    # It would tell of each request.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    made = Front(cluster, "one")
    yield made
    made.close()
