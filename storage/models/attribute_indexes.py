"""Which attributes of a Base have an index, and which ones are asked for.

The entries of all indexes are one table of its own (`storage_attributeentry`, which a migration makes), kept by the database.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class AttributeIndex(models.Model):
    """An index of one attribute of one Base. Writers keep it from the moment its row is there."""

    class State(models.TextChoices):
        WAITING = "waiting"
        BUILDING = "building"
        READY = "ready"
        DROPPED = "dropped"

    id = models.AutoField(primary_key=True)
    base_id = models.BigIntegerField(null=True)  # none any more once it is dropped, and only its entries are left
    path = ArrayField(models.TextField())  # the attribute's name, and the steps below it
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(db_default=Now())
    wait_for = models.BigIntegerField(
        null=True
    )  # the transactions before this one may not know of the last change of state
    built_to = models.TextField(null=True, db_collation="C")  # noqa: DJ001 -- the last key that is in it; none before the first
    entries = models.BigIntegerField(default=0)  # made by the building so far
    expected = models.BigIntegerField(default=0)  # how many items the Base had then

    class Meta:
        constraints = [models.UniqueConstraint(fields=["base_id", "path"], name="attribute_index_unique")]

    def __str__(self) -> str:
        return ".".join(self.path)


class AttributeAsk(models.Model):
    """How often an attribute without an index was asked for lately, by queries that had to stop before the end of the Base."""

    pk = models.CompositePrimaryKey("base_id", "path")
    base_id = models.BigIntegerField()
    path = ArrayField(models.TextField())
    times = models.IntegerField()
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return ".".join(self.path)
