"""Micros: people's apps, their deployments, addresses, keys, and what they print."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from storage import limits, names
from storage.models.collections import Collection, DataKey


class Micro(models.Model):
    """An app that runs beside the data of its collection, at `<subdomain>.<the server's domain for Micros>`."""

    # Names its socket and its folders.
    id = models.CharField(
        primary_key=True, max_length=limits.MICRO_ID_CHARACTERS, default=names.new_micro_id, editable=False
    )
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="micros")
    name = models.CharField(max_length=limits.MICRO_NAME_MAX_CHARACTERS)
    subdomain = models.CharField(max_length=limits.SUBDOMAIN_MAX_CHARACTERS, unique=True)
    runtime = models.TextField()  # as asked for, the original's names included: `python3.9`, `nodejs14.x`
    deployment = models.ForeignKey("Deployment", on_delete=models.SET_NULL, null=True, related_name="+")  # that serves
    has_sign_in = models.BooleanField(default=True)
    is_recorded = models.BooleanField(default=False)
    is_kept_warm = models.BooleanField(default=False)
    idle_minutes = models.IntegerField(default=limits.MICRO_IDLE_MINUTES)
    # Encrypted with a key that the database does not have (`storage/micros/sealing.py`).
    sealed_variables = models.BinaryField(default=bytes)
    sealed_data_key = models.BinaryField(default=bytes)
    data_key = models.ForeignKey(DataKey, on_delete=models.SET_NULL, null=True, related_name="+")
    version = models.BigIntegerField(default=1)  # grows with each change that a running instance has to learn of
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    deployed_at = models.DateTimeField(null=True)  # of the deployment that serves

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "name"], name="micro_name_unique")]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class MicroDomain(models.Model):
    """A name of somebody's own that a Micro is served under, beside the one it was given."""

    micro = models.ForeignKey(Micro, on_delete=models.CASCADE, related_name="domains")
    name = models.TextField(unique=True)  # in lower case, as it stands in a Host header
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Deployment(models.Model):
    """One version of a Micro's code, with its dependencies as they were installed for it."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        BUILDING = "building", "Installing"
        STARTING = "starting", "Starting"
        DONE = "done", "Done"  # it started, and serves or has served
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    micro = models.ForeignKey(Micro, on_delete=models.CASCADE, related_name="deployments")
    number = models.IntegerField()  # the Micro's first is 1
    runtime = models.TextField()  # `python` or `node`, and behind it what version was asked for: `python3.9`
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(null=True)  # the last sign of life of who makes it
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    bundle_bytes = models.BigIntegerField(default=0)  # of the zip
    bundle_digest = models.TextField(blank=True)  # of its files' names and bytes
    code_bytes = models.BigIntegerField(default=0)  # of the files in it
    files = models.IntegerField(default=0)
    dependencies_id = models.UUIDField(null=True)  # what was installed; deployments that ask for the same share it
    dependencies_bytes = models.BigIntegerField(default=0)
    dependencies_digest = models.TextField(blank=True)  # of what was asked for, and for which runtime
    runs_on = models.TextField(blank=True)  # what really runs it, such as `Python 3.11.7`
    source = models.TextField(blank=True)  # the repository that its code was fetched from, with the commit
    reason = models.TextField(blank=True)  # why it failed: what the installer said, or the app's traceback
    is_kept = models.BooleanField(default=True)  # its bundle is still there to roll back to

    class Meta:
        constraints = [models.UniqueConstraint(fields=["micro", "number"], name="deployment_number_unique")]

    def __str__(self) -> str:
        return f"{self.micro_id} #{self.number} ({self.state})"


class MicroKey(models.Model):
    """An API key: lets a caller into a Micro that asks for sign-in. Only its SHA-256 is stored."""

    micro = models.ForeignKey(Micro, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=limits.DATA_KEY_NAME_MAX_CHARACTERS)
    description = models.CharField(max_length=limits.MICRO_TEXT_MAX_CHARACTERS, blank=True)
    digest = models.BinaryField(max_length=32, unique=True)
    prefix = models.CharField(max_length=8)  # of its text, for people to recognise it
    created_at = models.DateTimeField(db_default=Now())
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["micro", "name"], name="micro_key_name_unique")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"


class MicroLine(models.Model):
    """A line that a Micro or its installer printed. Like items, without a foreign key."""

    class Source(models.IntegerChoices):
        OUTPUT = 0, "output"
        ERROR = 1, "error"
        SERVER = 2, "server"  # what we have to say: started, stopped, killed and why
        BUILD = 3, "build"

    micro_id = models.TextField(db_collation="C")
    deployment_id = models.UUIDField(null=True)
    request_id = models.UUIDField(null=True)  # the event of the request that it was printed for
    at = models.DateTimeField()
    source = models.SmallIntegerField(choices=Source.choices)
    text = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["micro_id", "id"], name="micro_line_list"),
            models.Index(
                fields=["request_id"], name="micro_line_request", condition=models.Q(request_id__isnull=False)
            ),
            models.Index(fields=["at"], name="micro_line_age"),
        ]

    def __str__(self) -> str:
        return self.text


class MicroMinute(models.Model):
    """The requests to a Micro in one minute. Like items, without a foreign key."""

    pk = models.CompositePrimaryKey("micro_id", "minute")
    micro_id = models.TextField(db_collation="C")
    minute = models.IntegerField()  # since 1970
    requests = models.IntegerField()
    errors = models.IntegerField()  # of these, answered with 500 or above

    def __str__(self) -> str:
        return f"{self.micro_id}: {self.requests} requests"
