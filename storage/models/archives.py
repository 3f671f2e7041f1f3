"""Exports, imports and snapshots."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from storage import limits
from storage.models.collections import Collection


class Export(models.Model):
    """A collection as a zip, made or about to be. Its bytes are the parts under its id in hexadecimal digits."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Check(models.TextChoices):
        """The state of the test restore."""

        NONE = "", "Not tried"
        WANTED = "wanted", "Waiting"
        RUNNING = "running", "Running"
        GOOD = "good", "Restored and compared"
        BAD = "bad", "Differs from the collection"

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
    """Data to import into a collection: uploaded, checked, then stored as chosen."""

    class State(models.TextChoices):
        UPLOADING = "uploading", "Uploading"
        CHECKING = "checking", "Checking"
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
    plan = models.JSONField(default=dict)  # what the check found (see `storage/archive/importing/plans.py`)
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
    """Something in an archive that cannot be imported, and where it is."""

    found_in = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems")
    place = models.TextField()  # an entry of the zip, or the file's own name
    spot = models.TextField(blank=True)  # "byte 120", "line 7"
    key = models.TextField(blank=True)  # of an item
    what = models.TextField()

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class SnapshotSchedule(models.Model):
    """How often a snapshot of a collection is made, and how many are kept."""

    class Every(models.TextChoices):
        DAY = "day", "Every day"
        WEEK = "week", "Every week"

    collection = models.OneToOneField(Collection, on_delete=models.CASCADE, primary_key=True, related_name="schedule")
    every = models.TextField(choices=Every.choices)
    keep = models.IntegerField()
    is_checked = models.BooleanField(default=True)  # each is restored into a collection of its own, and compared
    is_copied = models.BooleanField(default=False)  # each goes to the server's second place as well
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


class SnapshotCopy(models.Model):
    """A copy of a snapshot in the server's second place, made or about to be. It outlives the snapshot, whose id it has."""

    class State(models.TextChoices):
        WANTED = "wanted", "Waiting"
        RUNNING = "running", "Copying"
        DONE = "done", "Copied and compared"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="snapshot_copies")
    name = models.TextField()  # in the second place
    state = models.TextField(choices=State.choices, default=State.WANTED)
    asked_at = models.DateTimeField()  # of the snapshot
    attempts = models.IntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)  # the last sign of life of who makes it
    made_at = models.DateTimeField(null=True)
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.TextField(blank=True)
    note = models.TextField(blank=True)  # why it failed

    class Meta:
        indexes = [
            models.Index(fields=["asked_at"], name="snapshot_copy_open", condition=~models.Q(state="done")),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
