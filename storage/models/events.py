"""Recorded requests. Their blocks are a partitioned table that a migration makes, as models know no partitions."""

from django.db import models
from django.db.models.functions import Now

from storage.models.collections import Collection


class Recording(models.Model):
    """A collection whose requests are recorded. Their blocks are in a partitioned table, which the ORM cannot declare."""

    collection = models.OneToOneField(Collection, on_delete=models.CASCADE, primary_key=True, related_name="recording")
    started_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.collection_id} since {self.started_at}"


class EventMinute(models.Model):
    """What was recorded of a collection in one minute. Like items, without a foreign key."""

    pk = models.CompositePrimaryKey("collection_id", "minute")
    collection_id = models.TextField(db_collation="C")
    minute = models.IntegerField()  # since 1970
    requests = models.IntegerField()
    errors = models.IntegerField()  # of these, answered with 400 or above
    size_bytes = models.BigIntegerField()  # of the events that are kept
    lost = models.IntegerField()  # requests that could not be recorded

    def __str__(self) -> str:
        return f"{self.collection_id}: {self.requests} requests"


class PinnedEvent(models.Model):
    """A copy of a recorded request that is kept for good. Without a foreign key, as the blocks are."""

    pk = models.CompositePrimaryKey("collection_id", "id")
    collection_id = models.TextField(db_collation="C")
    id = models.UUIDField()
    event = models.BinaryField()
    pinned_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.id)
