"""A builder that is killed in the middle, as by a power cut, and another that goes on where it was."""

import signal
import subprocess
import sys

import pytest

from storage import limits
from storage.base import items
from storage.collections import collections
from storage.models import AttributeIndex
from storage.postgres.caller import Access
from tests import leases
from tests.attribute_indexes import find_faults, finish_building, let_all_know
from tests.serving import ROOT
from tests.storage.rows import fill_base
from tests.waiting import eventually

# Small batches, so that there is a middle; the lease is not asked for, as the server's own worker may hold it.
BUILDER = """
import django; django.setup()
from storage import limits
from storage.attribute_indexes import tending
from storage.models import AttributeIndex
limits.ATTRIBUTE_INDEX_BATCH_ROWS = 10
tending._build(AttributeIndex.objects.get(pk={id}), float("inf"))
"""


@pytest.mark.slow
def test_builder_that_is_killed_half_way_is_gone_on_from(database: None) -> None:
    access = Access(collections.create_collection("Made by a test").id)
    items.put_items(access=access, base="b", items=[{"key": "new", "n": 0}])
    base_id = items.find_base_id(access, "b")
    fill_base(base_id, ({"key": f"{n:05}", "n": n % 7} for n in range(20_000)))
    assert limits.ATTRIBUTE_INDEX_BATCH_ROWS > 10
    with leases.holding("attribute indexes"):  # the server's worker leaves it alone
        index = AttributeIndex.objects.create(base_id=base_id, path=["n"])
        let_all_know(index)
        builder = subprocess.Popen([sys.executable, "-c", BUILDER.format(id=index.pk)], cwd=ROOT)
        eventually(lambda: AttributeIndex.objects.get(pk=index.pk).entries > 100)
        builder.send_signal(signal.SIGKILL)
        builder.wait()
        index.refresh_from_db()
        assert index.state == AttributeIndex.State.BUILDING
        assert 100 < index.entries < 20_000
        for n in range(0, 20_000, 1_000):
            items.put_items(access=access, base="b", items=[{"key": f"{n:05}", "n": "changed"}])
            items.delete_item(access=access, base="b", key=f"{n + 1:05}")
    finish_building()
    assert find_faults(index) == []
