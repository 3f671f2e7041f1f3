"""A collection with a person who may write in it."""

import pytest

from storage.collections import collections
from storage.postgres.caller import Access
from tests.people import make_member


@pytest.fixture
def access(database: None) -> Access:
    collection_id = collections.create_collection("Made by a test").id
    return Access(collection_id, person_id=make_member(collection_id, name="ada").pk)
