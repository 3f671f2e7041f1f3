"""Copies of whole Drives on their way. Like files, they have no foreign key to a Drive."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from storage.models.collections import Collection


class Duplication(models.Model):
    """A Drive that is copied into a new one of its collection: waiting, on its way, or over."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="duplications")
    source_id = models.BigIntegerField()
    target_id = models.BigIntegerField()
    source_name = models.TextField()  # as it was called when it was asked for
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(null=True)
    listed_at = models.DateTimeField(null=True)  # when its files were listed: what came later is not in it
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    moved_on_at_attempt = models.IntegerField(default=0)  # the last attempt that stored a file
    expected = models.BigIntegerField()  # files; as counted when it was asked for, then as listed
    expected_bytes = models.BigIntegerField()  # likewise
    copied = models.BigIntegerField(default=0)
    copied_bytes = models.BigIntegerField(default=0)
    bytes_under_way = models.BigIntegerField(default=0)  # of files that are not stored yet
    left_out = models.BigIntegerField(default=0)
    problems = ArrayField(models.TextField(), default=list)  # why the first of these were left out
    reason = models.TextField(blank=True)  # why it failed

    class Meta:
        indexes = [
            models.Index(fields=["target_id"], name="duplication_target"),
            models.Index(fields=["source_id"], name="duplication_source"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class FileToCopy(models.Model):
    """The name of a file that a duplication has not come to yet."""

    pk = models.CompositePrimaryKey("duplication_id", "name")
    duplication_id = models.UUIDField()
    name = models.TextField(db_collation="C")

    def __str__(self) -> str:
        return self.name
