"""Tables and constraints, nothing else. What they mean is in the module named after each noun.

Items carry no foreign key: checking one would lock the Base's row in every write, and a sharded Postgres could not
keep it. Their primary key starts with the Base, the natural column to distribute by, and compares by bytes.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from storage import limits, names


class Collection(models.Model):
    """Data without an app: Bases and Drives under one id, reached with data keys."""

    id = models.CharField(
        primary_key=True, max_length=limits.COLLECTION_ID_CHARACTERS, default=names.new_collection_id, editable=False
    )
    name = models.CharField(max_length=limits.COLLECTION_NAME_MAX_CHARACTERS)
    created_at = models.DateTimeField(db_default=Now())
    scratch_of = models.UUIDField(null=True)  # the export that is tried here: no list shows such a collection

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class DataKey(models.Model):
    """A key to a collection. Only its SHA-256 is kept, and the ends that let its owner recognise it."""

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

    def __str__(self) -> str:
        return f"{self.name} ({self.secret_start}...{self.secret_end})"


class Base(models.Model):
    """A JSON document store; it comes to exist with its first write."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="bases")
    name = models.CharField(max_length=limits.NAME_MAX_CHARACTERS, db_collation="C")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "name"], name="base_name_unique")]

    def __str__(self) -> str:
        return self.name


class Drive(models.Model):
    """A store of files; it comes to exist with its first write."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="drives")
    name = models.CharField(max_length=limits.NAME_MAX_CHARACTERS, db_collation="C")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "name"], name="drive_name_unique")]

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """A document. `value` is the item without its key; the key stands in its own column alone."""

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
    """A batch of a person's edits that was applied, and what was answered: asked again, it is answered again."""

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


class Role(models.TextChoices):
    """What a person may do in one collection; each role may do what the next one may."""

    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    READER = "reader", "Read-only"


class Membership(models.Model):
    """A person in a collection. Whoever owns the server needs none."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role.choices)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "collection"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.person_id} is {self.role} of {self.collection_id}"


class Invitation(models.Model):
    """A link that lets one more person in, once. The link itself is signed and kept nowhere."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, null=True)  # None: to own the server
    role = models.CharField(max_length=6, choices=Role.choices)
    note = models.CharField(max_length=limits.INVITATION_NOTE_MAX_CHARACTERS, blank=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.role} of {self.collection_id or 'the server'}"


class Session(AbstractBaseSession):
    """A browser that is signed in. It knows its person, so that all of one person's can be ended."""

    person_id = models.IntegerField(null=True, db_index=True)

    @classmethod
    def get_session_store_class(cls) -> "type[SessionBase]":
        """The engine that the settings name."""
        engine: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        return engine


class DataKeyUse(models.Model):
    """When a data key was used and by which client. A table of its own, so that keys are only ever read by requests."""

    data_key = models.OneToOneField(DataKey, on_delete=models.CASCADE, primary_key=True, related_name="use")
    first_used_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    client = models.CharField(max_length=limits.CLIENT_NAME_MAX_CHARACTERS)

    def __str__(self) -> str:
        return f"{self.data_key_id} by {self.client}"


class BaseFigures(models.Model):
    """What a Base held when it was last counted (see `storage/figures.py`)."""

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


class Deletion(models.Model):
    """What is left of a deleted collection: its items and files, while they go in the background."""

    collection_id = models.CharField(max_length=limits.COLLECTION_ID_CHARACTERS)
    name = models.CharField(max_length=limits.COLLECTION_NAME_MAX_CHARACTERS)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    base_ids = ArrayField(models.BigIntegerField())
    drive_ids = ArrayField(models.BigIntegerField())
    rows_expected = models.BigIntegerField()  # items and files, as last counted
    rows_deleted = models.BigIntegerField(default=0)
    emptied_at = models.DateTimeField(null=True)  # nothing was found any more
    finished_at = models.DateTimeField(null=True)  # and nothing could have come after that

    def __str__(self) -> str:
        return f"{self.name} ({self.collection_id})"


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
    """A folder that somebody made and nothing is in yet. All others follow from the names of files."""

    pk = models.CompositePrimaryKey("drive_id", "path")
    drive_id = models.BigIntegerField()
    path = models.TextField(db_collation="C")  # with its slash at the end
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.path


class FileDeletion(models.Model):
    """A deletion that a person asked for in the console: what to delete, how far it is, and until when it can be undone."""

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
    forgotten_at = models.DateTimeField(null=True)  # too late to undo: the blobs were let go of

    class Meta:
        indexes = [
            models.Index(fields=["drive_id"], name="file_deletion_drive"),
            # What there still is to do. Most have come to their end.
            models.Index(
                fields=["asked_at"],
                name="file_deletion_open",
                condition=models.Q(undone_at__isnull=True, forgotten_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.files} files of {self.drive_id}"


class DeletedFile(models.Model):
    """A file that was deleted and may come back: the row it was, and its blobs still live."""

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
    changed_at = models.DateTimeField()  # when it came into its state

    class Meta:
        indexes = [
            # For the sweeper. Live blobs, nearly all of them, are not in it.
            models.Index(fields=["state", "changed_at"], name="blob_sweep", condition=~models.Q(state="live")),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["pending", "live", "garbage"]), name="blob_state")
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class Upload(models.Model):
    """A file on its way in parts. It names its Drive by name, because the Drive may come to exist with this file."""

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


class Recording(models.Model):
    """That a collection's requests are recorded. Their blocks are in a partitioned table, which the ORM cannot declare."""

    collection = models.OneToOneField(Collection, on_delete=models.CASCADE, primary_key=True, related_name="recording")
    started_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.collection_id} since {self.started_at}"


class EventMinute(models.Model):
    """What was recorded of a collection in one minute. Like items, without a foreign key."""

    pk = models.CompositePrimaryKey("collection_id", "minute")
    collection_id = models.TextField(db_collation="C")
    minute = models.IntegerField()  # since 1970
    requests = models.IntegerField()
    errors = models.IntegerField()  # of these, answered with 400 or above
    size_bytes = models.BigIntegerField()  # of the events that are kept
    lost = models.IntegerField()  # requests that could not be recorded

    def __str__(self) -> str:
        return f"{self.collection_id}: {self.requests} requests"


class PinnedEvent(models.Model):
    """A copy of a recorded request that is kept for good. Without a foreign key, as the blocks are."""

    pk = models.CompositePrimaryKey("collection_id", "id")
    collection_id = models.TextField(db_collation="C")
    id = models.UUIDField()
    event = models.BinaryField()
    pinned_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.id)


class Export(models.Model):
    """A collection as a zip, made or about to be. Its bytes are the parts under its id in hexadecimal digits."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Check(models.TextChoices):
        """Whether it was tried to restore it."""

        NONE = "", "Not tried"
        WANTED = "wanted", "Waiting"
        RUNNING = "running", "Running"
        GOOD = "good", "Restored and compared"
        BAD = "bad", "Not what it should be"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="exports")
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    is_snapshot = models.BooleanField(default=False)  # made on a schedule
    is_direct = models.BooleanField(default=False)  # goes into a file of a command: here only while it runs
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)  # of the last attempt
    heartbeat_at = models.DateTimeField(null=True)  # the last sign of life of who makes or checks it
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    bytes_expected = models.BigIntegerField(default=0)  # of items and files, as counted when it began
    bytes_done = models.BigIntegerField(default=0)
    bases = models.IntegerField(default=0)
    items = models.BigIntegerField(default=0)
    drives = models.IntegerField(default=0)
    files = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)  # of the zip
    reason = models.TextField(blank=True)  # why it failed
    check_state = models.TextField(choices=Check.choices, default=Check.NONE, blank=True)
    check_note = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["collection", "asked_at"], name="export_list")]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class Import(models.Model):
    """Data on its way into a collection: sent here, looked through, then stored as somebody chose."""

    class State(models.TextChoices):
        UPLOADING = "uploading", "Being sent"
        CHECKING = "checking", "Being looked through"
        CHECKED = "checked", "Ready"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="imports")
    state = models.TextField(choices=State.choices, default=State.UPLOADING)
    is_direct = models.BooleanField(default=False)  # a command reads it from a file of its own: no worker can go on
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(db_default=Now())  # when the last part came, or its state changed
    heartbeat_at = models.DateTimeField(null=True)  # as an export's
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    file_name = models.TextField()
    size_bytes = models.BigIntegerField(default=0)  # received so far
    size_expected = models.BigIntegerField()
    is_kept = models.BooleanField(default=True)  # whether the archive itself is still here
    bytes_expected = models.BigIntegerField(default=0)  # unpacked, of what is under way now
    bytes_done = models.BigIntegerField(default=0)
    plan = models.JSONField(default=dict)  # what the check found (see `storage/archive/plans.py`)
    choices = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    position = models.JSONField(default=dict)  # what is done for good, written together with it
    problems_total = models.BigIntegerField(default=0)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["collection", "asked_at"], name="import_list")]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class ImportProblem(models.Model):
    """Something in an archive that is not imported, and where it stands."""

    found_in = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems")
    place = models.TextField()  # an entry of the zip, or the file's own name
    spot = models.TextField(blank=True)  # "byte 120", "line 7"
    key = models.TextField(blank=True)  # of an item
    what = models.TextField()

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class SnapshotSchedule(models.Model):
    """How often an export of a collection is made by itself, and how many of those are kept."""

    class Every(models.TextChoices):
        DAY = "day", "Every day"
        WEEK = "week", "Every week"

    collection = models.OneToOneField(Collection, on_delete=models.CASCADE, primary_key=True, related_name="schedule")
    every = models.TextField(choices=Every.choices)
    keep = models.IntegerField()
    is_checked = models.BooleanField(default=True)  # each is restored into a collection of its own, and compared
    next_at = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(keep__gte=1, keep__lte=limits.SNAPSHOTS_KEPT_MAX), name="snapshot_keep"
            )
        ]

    def __str__(self) -> str:
        return f"{self.collection_id}, every {self.every}"
