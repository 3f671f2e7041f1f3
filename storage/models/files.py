"""Drives, their files, the blobs of files, and uploads. Like items, files carry no foreign key."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from storage import limits
from storage.models.collections import Collection


class Drive(models.Model):
    """A store of files; the first write creates it."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="drives")
    name = models.CharField(max_length=limits.NAME_MAX_CHARACTERS, db_collation="C")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "name"], name="drive_name_unique")]

    def __str__(self) -> str:
        return self.name


class File(models.Model):
    """A name in a Drive and the blobs that its bytes are made of, in order. Like items, without a foreign key."""

    pk = models.CompositePrimaryKey("drive_id", "name")
    drive_id = models.BigIntegerField()
    name = models.TextField(db_collation="C")
    size_bytes = models.BigIntegerField()
    content_type = models.TextField()
    etag = models.TextField()  # without its quotes: the MD5 of the bytes, or of its blobs' MD5s and their number
    blob_ids = ArrayField(models.UUIDField())
    blob_sizes = ArrayField(models.IntegerField())  # of each blob, in bytes
    manifest_id = models.UUIDField(null=True)  # the blob that lists the others, when there is more than one
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Folder(models.Model):
    """An empty folder that somebody made. All other folders follow from the names of files."""

    pk = models.CompositePrimaryKey("drive_id", "path")
    drive_id = models.BigIntegerField()
    path = models.TextField(db_collation="C")  # with its slash at the end
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.path


class FileDeletion(models.Model):
    """A deletion that a person started in the console: what to delete, its progress, and until when it can be undone."""

    drive_id = models.BigIntegerField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    names = ArrayField(models.TextField())
    folders = ArrayField(models.TextField())
    kept_folders = ArrayField(models.TextField(), default=list)  # made by hand, gone with the rest
    files = models.BigIntegerField()  # to delete, as counted when it was asked for
    size_bytes = models.BigIntegerField()
    deleted = models.BigIntegerField(default=0)  # of these, so far
    restored = models.BigIntegerField(default=0)
    renamed = ArrayField(models.TextField(), default=list)  # the names some have since, as theirs were taken
    ended_at = models.DateTimeField(null=True)
    undo_asked_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(null=True)  # too late to undo: the blobs are garbage

    class Meta:
        indexes = [
            models.Index(fields=["drive_id"], name="file_deletion_drive"),
            # The unfinished deletions. Most are finished.
            models.Index(
                fields=["asked_at"],
                name="file_deletion_open",
                condition=models.Q(undone_at__isnull=True, forgotten_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.files} files of {self.drive_id}"


class DeletedFile(models.Model):
    """A deleted file that can be restored: a copy of its row. Its blobs are still live."""

    pk = models.CompositePrimaryKey("deletion_id", "name")
    deletion_id = models.BigIntegerField()
    name = models.TextField(db_collation="C")
    size_bytes = models.BigIntegerField()
    content_type = models.TextField()
    etag = models.TextField()
    blob_ids = ArrayField(models.UUIDField())
    blob_sizes = ArrayField(models.IntegerField())
    manifest_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Blob(models.Model):
    """An object in the bucket, or one that is about to be there or to go. Its id is the object's key."""

    PENDING, LIVE, GARBAGE = "pending", "live", "garbage"

    id = models.UUIDField(primary_key=True)
    state = models.TextField()
    size_bytes = models.IntegerField(null=True)  # this and the next: unknown while pending
    md5 = models.TextField(null=True)  # noqa: DJ001 -- not known is not the same as empty
    sha256 = models.BinaryField(null=True)  # unknown while pending, and of older ones until they are read again
    changed_at = models.DateTimeField()  # when it came into its state
    # The SHA-256 of its bytes in the server's own target of backups; none while it is not there.
    backed_up_sha256 = models.BinaryField(null=True)

    class Meta:
        indexes = [
            # What has to be backed up yet.
            models.Index(
                fields=["id"],
                name="blob_to_back_up",
                condition=models.Q(backed_up_sha256__isnull=True, size_bytes__isnull=False)
                & ~models.Q(state="pending"),
            ),
            # For the sweeper. Live blobs, nearly all of them, are not in it.
            models.Index(fields=["state", "changed_at"], name="blob_sweep", condition=~models.Q(state="live")),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["pending", "live", "garbage"]), name="blob_state")
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class Upload(models.Model):
    """A file that is uploaded in parts. It names its Drive by name, because this file may create the Drive."""

    id = models.TextField(primary_key=True)
    collection_id = models.TextField()
    drive_name = models.TextField()
    file_name = models.TextField()
    content_type = models.TextField(null=True)  # noqa: DJ001 -- none was declared
    touched_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # What follows has an upload from the console alone: it belongs to a person, and says beforehand what will come.
    person_id = models.IntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    if_exists = models.TextField(null=True)  # noqa: DJ001 -- "replace", "keep-both" or "fail"
    fingerprint = models.TextField(null=True)  # noqa: DJ001 -- what tells the person's file from another of its name
    stored_name = models.TextField(null=True)  # noqa: DJ001 -- once it has ended: the name the file was given

    class Meta:
        indexes = [
            models.Index(fields=["touched_at"], name="upload_sweep"),
            models.Index(
                fields=["person_id", "fingerprint"],
                name="upload_resume",
                condition=models.Q(person_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.file_name})"


class Part(models.Model):
    """An acknowledged part of an open upload, or of an archive: their ids are in `upload_id` alike."""

    pk = models.CompositePrimaryKey("upload_id", "number")
    upload_id = models.TextField()
    number = models.IntegerField()
    blob_id = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.upload_id} {self.number}"
