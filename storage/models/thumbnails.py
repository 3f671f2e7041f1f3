"""Small pictures of files that are pictures."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Thumbnail(models.Model):
    """A small picture of a file, made by the job worker; it goes with the file's first blob, which no other file has."""

    WANTED, MADE, NONE = "wanted", "made", "none"

    blob_id = models.UUIDField(primary_key=True)  # the first of the file's
    blob_ids = ArrayField(models.UUIDField())  # all of them: what it is made of
    blob_sizes = ArrayField(models.IntegerField())
    state = models.TextField(default=WANTED)
    thumb_id = models.UUIDField(null=True)  # the blob with the small picture
    size_bytes = models.IntegerField(default=0)  # of it
    attempts = models.IntegerField(default=0)
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], name="thumbnail_wanted", condition=models.Q(state="wanted")),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["wanted", "made", "none"]), name="thumbnail_state")
        ]

    def __str__(self) -> str:
        return f"{self.blob_id} ({self.state})"
