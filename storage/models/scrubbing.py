"""How far the bytes of files have been read again, and which of them were not what they had been."""

from django.db import models
from django.db.models.functions import Now


class ScrubRound(models.Model):
    """The one row: all live blobs are read in the order of their ids, again and again; this is the round that is on."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    position = models.UUIDField(null=True)  # the blob that was read last
    started_at = models.DateTimeField(db_default=Now())
    blobs = models.BigIntegerField(default=0)  # read in this round
    size_bytes = models.BigIntegerField(default=0)
    # All there are, as counted at this moment.
    all_blobs = models.BigIntegerField(default=0)
    all_bytes = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    last_ended_at = models.DateTimeField(null=True)  # of the round before

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="scrub_round_is_one")]

    def __str__(self) -> str:
        return f"{self.blobs} of {self.all_blobs}"


class DamagedBlob(models.Model):
    """A blob whose object is gone, has other bytes, or can't be read; or was so, until it was healed."""

    MISSING, CHANGED, UNREADABLE = "missing", "changed", "unreadable"

    blob_id = models.UUIDField(primary_key=True)
    kind = models.TextField()
    # What was made of it when it was last tried: a file by its names, or something else in words. Names may change meanwhile.
    collection_id = models.TextField(default="")
    drive_name = models.TextField(default="")
    name = models.TextField(default="")
    part_of = models.TextField(default="")
    found_at = models.DateTimeField(db_default=Now())
    tried_at = models.DateTimeField(db_default=Now())  # when it was last read, and last tried to be healed
    healed_at = models.DateTimeField(null=True)
    healed_from = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["tried_at"], name="damaged_open", condition=models.Q(healed_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.blob_id} ({self.kind})"
