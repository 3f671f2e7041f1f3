"""Bases and the items in them.

Items carry no foreign key: checking one would lock the Base's row in every write, and a sharded Postgres could not
keep it. Their primary key starts with the Base, the natural column to distribute by, and compares by bytes.
"""

from django.db import models
from django.db.models.functions import Now

from storage import limits
from storage.models.collections import Collection


class Base(models.Model):
    """A JSON document store; the first write creates it."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="bases")
    name = models.CharField(max_length=limits.NAME_MAX_CHARACTERS, db_collation="C")
    created_at = models.DateTimeField(db_default=Now())
    history_kept = models.BooleanField(db_default=True)  # what its items were before each change

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "name"], name="base_name_unique")]

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """A document. `value` is the item without its key; the key is only in its own column."""

    pk = models.CompositePrimaryKey("base_id", "key")
    base_id = models.BigIntegerField()
    key = models.TextField(db_collation="C")
    value = models.JSONField()
    size_bytes = models.IntegerField()  # of its compact UTF-8 JSON, key included
    revision = models.BigIntegerField()  # from one sequence, so that no two states of an item ever share one
    changed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # the moment it is gone: `__expires` and one second
    # Who wrote it last: a data key's id or a person's, none of both for the server itself and before it was noted.
    changed_by_key = models.BigIntegerField(null=True)
    changed_by_person = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            # Expired rows for the sweeper. Costs nothing for items that do not expire.
            models.Index(fields=["expires_at"], name="item_expiry", condition=models.Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.key


class SaveReceipt(models.Model):
    """A batch of a person's edits that was applied, with its answer: if it is sent again, it gets the same answer."""

    pk = models.CompositePrimaryKey("save_id", "batch")
    save_id = models.UUIDField()
    batch = models.IntegerField()
    base_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    digest = models.BinaryField(max_length=32)  # of all changes of the save, whichever batch this is
    results = models.TextField(null=True)  # noqa: DJ001 -- JSON; none only inside the transaction that applies the batch
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["made_at"], name="save_receipt_sweep")]

    def __str__(self) -> str:
        return f"{self.save_id} {self.batch}"
