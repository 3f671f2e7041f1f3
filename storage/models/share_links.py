"""Links by which anybody can download one file of a Drive."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class ShareLink(models.Model):
    """A link to one file. Only its SHA-256 is stored. It hangs on its Drive's id, as files do, and so is set aside with it."""

    drive_id = models.BigIntegerField()
    file_name = models.TextField(db_collation="C")  # it follows the file when that is renamed or moved
    # When the file came to exist: another one that gets the name later is not shared.
    file_created_at = models.DateTimeField()
    digest = models.BinaryField(max_length=32, unique=True)
    prefix = models.CharField(max_length=6)  # of its secret, for people to recognise it
    password = models.TextField(blank=True)  # as Django hashes it, empty for none
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)
    downloads = models.BigIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["drive_id", "file_name"], name="share_link_file")]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.prefix}...)"
