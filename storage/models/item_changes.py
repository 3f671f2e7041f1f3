"""Changes of many items at once, what the items were before, and saved views. Like items, they have no foreign key to a Base."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from storage import limits
from storage.models.collections import Collection


class ItemChange(models.Model):
    """One change of many items of a Base, waiting, on its way or done, and whether it can be undone."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNDO_QUEUED = "undo-queued", "Waiting to be undone"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="item_changes")
    base_id = models.BigIntegerField()
    target_id = models.BigIntegerField(null=True)  # the Base that items are copied into
    act = models.TextField()  # JSON, as `storage/base/acts.py` reads it
    query = models.TextField()  # as in the bar; of all items that it finds, unless there are keys
    keys = ArrayField(models.TextField(), null=True)
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    expected = models.BigIntegerField()  # items, as counted when it was asked for
    position = models.TextField(null=True)  # noqa: DJ001 -- the last key it has come to; none before the first
    seen = models.BigIntegerField(default=0)  # items it was to change
    changed = models.BigIntegerField(default=0)  # items it did
    refused = models.BigIntegerField(default=0)
    problems = ArrayField(models.TextField(), default=list)  # why the first of these were refused
    reason = models.TextField(blank=True)  # why it failed
    undo_until = models.DateTimeField(null=True)
    restored = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)  # items that somebody changed since, which an undo left alone

    class Meta:
        indexes = [models.Index(fields=["base_id", "asked_at"], name="item_change_list")]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class ChangedItem(models.Model):
    """An item as it was before a change of many, for as long as that can be undone."""

    pk = models.CompositePrimaryKey("change_id", "key")
    change_id = models.UUIDField()
    key = models.TextField(db_collation="C")
    before = models.TextField(null=True)  # noqa: DJ001 -- the whole item as JSON; none when there was none
    revision = models.BigIntegerField()  # that the change gave it, 0 when it deleted it

    def __str__(self) -> str:
        return self.key


class SavedView(models.Model):
    """A query, an order and an arrangement of columns under a name, for everybody in the collection."""

    base_id = models.BigIntegerField()
    name = models.CharField(max_length=limits.VIEW_NAME_MAX_CHARACTERS)
    query = models.TextField(blank=True)
    sort = models.TextField(blank=True)
    columns = models.TextField(blank=True)  # JSON, as the browser keeps an arrangement
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["base_id", "name"], name="saved_view_name")]

    def __str__(self) -> str:
        return self.name
