"""Repositories that were fetched to be deployed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from storage.models.collections import Collection


class GitFetch(models.Model):
    """A public git repository that somebody wants a Micro made of. Its bundle is the parts under its id, until it is deployed."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Fetching"
        DONE = "done", "Fetched"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="git_fetches")
    address = models.TextField()
    branch = models.TextField(blank=True)
    folder = models.TextField(blank=True)
    part = models.TextField(blank=True)  # the Micro of a Spacefile that is meant
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(null=True)  # the last sign of life of who fetches it
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    reason = models.TextField(blank=True)  # why it failed, a line for each thing
    commit = models.TextField(blank=True)
    bundle_bytes = models.BigIntegerField(default=0)
    bundle_digest = models.TextField(blank=True)
    code_bytes = models.BigIntegerField(default=0)
    files = models.IntegerField(default=0)
    entries = models.JSONField(default=dict)  # what can run it, and by which file
    manifest = models.JSONField(default=dict)  # what its deta.json or Spacefile declares

    class Meta:
        indexes = [models.Index(fields=["collection", "asked_at"], name="git_fetch_list")]

    def __str__(self) -> str:
        return f"{self.address} ({self.state})"
