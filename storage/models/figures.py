"""What Bases and Drives held at the last count."""

from django.db import models

from storage.models.files import Drive
from storage.models.items import Base


class BaseFigures(models.Model):
    """What a Base held when it was last counted (see `storage/collections/usage.py`)."""

    base = models.OneToOneField(Base, on_delete=models.CASCADE, primary_key=True, related_name="figures")
    items = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    changed_at = models.DateTimeField(null=True)  # of the youngest item; None for an empty Base

    def __str__(self) -> str:
        return f"{self.base_id}: {self.items} items"


class DriveFigures(models.Model):
    """What a Drive held when it was last counted."""

    drive = models.OneToOneField(Drive, on_delete=models.CASCADE, primary_key=True, related_name="figures")
    files = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    changed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.drive_id}: {self.files} files"


class Count(models.Model):
    """The last time everything was counted: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    counted_at = models.DateTimeField()
    duration_ms = models.IntegerField()
    writes_seen = models.BigIntegerField()  # the tables' own counters then: unchanged means nothing to count

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="count_single_row")]

    def __str__(self) -> str:
        return f"counted at {self.counted_at}"
