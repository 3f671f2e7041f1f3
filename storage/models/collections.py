"""A collection, its data keys, and the background deletion of what it held."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from storage import limits, names


class Collection(models.Model):
    """Bases and Drives under one id, used with data keys."""

    id = models.CharField(
        primary_key=True, max_length=limits.COLLECTION_ID_CHARACTERS, default=names.new_collection_id, editable=False
    )
    name = models.CharField(max_length=limits.COLLECTION_NAME_MAX_CHARACTERS)
    created_at = models.DateTimeField(db_default=Now())
    scratch_of = models.UUIDField(null=True)  # the export that is tried here: no list shows such a collection

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class DataKey(models.Model):
    """A key to a collection. Only its SHA-256 is stored, and its first and last characters for its owner to recognise it."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="data_keys")
    name = models.CharField(max_length=limits.DATA_KEY_NAME_MAX_CHARACTERS)
    digest = models.BinaryField(max_length=32, unique=True)
    secret_start = models.CharField(max_length=4)
    secret_end = models.CharField(max_length=4)
    can_write = models.BooleanField(default=True)
    base_names = ArrayField(models.TextField(), null=True)  # None: all of them
    drive_names = ArrayField(models.TextField(), null=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    requests_per_second = models.IntegerField(null=True)  # None: no limit
    bytes_per_day = models.BigIntegerField(null=True)
    # None: made by a command, by somebody whose account is gone, or before this was noted.
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(requests_per_second__isnull=False) | models.Q(bytes_per_day__isnull=False),
                name="datakey_limited",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.secret_start}...{self.secret_end})"


class DataKeyUse(models.Model):
    """When a data key was used and by which client. A table of its own, so that keys are only ever read by requests."""

    data_key = models.OneToOneField(DataKey, on_delete=models.CASCADE, primary_key=True, related_name="use")
    first_used_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    client = models.CharField(max_length=limits.CLIENT_NAME_MAX_CHARACTERS)

    def __str__(self) -> str:
        return f"{self.data_key_id} by {self.client}"


class DataKeyAllowance(models.Model):
    """What is left to a data key that has limits, for all processes together (`storage/collections/key_limits.py`)."""

    # A request in flight may be counted when its key has just been deleted; nothing is lost by that.
    data_key = models.OneToOneField(
        DataKey, on_delete=models.CASCADE, primary_key=True, related_name="allowance", db_constraint=False
    )
    tokens = models.FloatField()  # requests that may be made at once, as of `filled_at`
    filled_at = models.DateTimeField()
    granted = models.IntegerField()  # requests that the last taking got
    day = models.DateField()  # in UTC, as of which is
    used_bytes = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.data_key_id}: {self.tokens} requests, {self.used_bytes} bytes on {self.day}"


class Deletion(models.Model):
    """What was deleted, and is being removed in the background: a collection, or a Base or Drive of one.

    A Base or Drive that was deleted or emptied waits as it was until `undo_until`, and can come back.
    """

    class Kind(models.TextChoices):
        COLLECTION = "collection"
        BASE = "base"
        DRIVE = "drive"
        # What was written into an emptied Base while it came back: it is moved, not deleted.
        LEFT_OVER = "left-over"

    kind = models.TextField(choices=Kind.choices, default=Kind.COLLECTION)
    undo_until = models.DateTimeField(null=True)  # None: it is too late
    undone_at = models.DateTimeField(null=True)
    emptied_id = models.BigIntegerField(null=True)  # of a Base or Drive that was only emptied: the id it has since
    moved_into = models.BigIntegerField(null=True)  # of what is left over: the Base that it belongs to
    collection_id = models.CharField(max_length=limits.COLLECTION_ID_CHARACTERS)
    name = models.CharField(max_length=limits.COLLECTION_NAME_MAX_CHARACTERS)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    base_ids = ArrayField(models.BigIntegerField())
    drive_ids = ArrayField(models.BigIntegerField())
    rows_expected = models.BigIntegerField()  # items and files, as last counted
    rows_deleted = models.BigIntegerField(default=0)
    emptied_at = models.DateTimeField(null=True)  # when nothing was left
    finished_at = models.DateTimeField(null=True)  # and nothing could have come after that

    class Meta:
        indexes = [
            models.Index(
                fields=["collection_id", "undo_until"],
                name="deletion_undo",
                condition=models.Q(undo_until__isnull=False, undone_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.collection_id})"
