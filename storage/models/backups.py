"""Backups of the whole server: what is wanted, how far the log is kept, and what was done."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class BackupPlan(models.Model):
    """The one row: what the owner chose where no setting says it, and where the backups stand."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    target = models.TextField(blank=True)  # a folder or s3://bucket/prefix; empty for none
    every_hours = models.IntegerField(default=24)
    full_every_days = models.IntegerField(default=7)
    keep_days = models.IntegerField(default=30)
    drill_every_days = models.IntegerField(default=7)
    line = models.TextField(blank=True)  # which life of the database this is: a restored one begins another
    target_id = models.TextField(blank=True)  # of the target that blobs are marked for and that has the log
    beat_at = models.DateTimeField(null=True)  # written before each look at how far the log goes
    kept_until = models.DateTimeField(null=True)  # the target has the log, and all that it names, until then
    kept_position = models.TextField(blank=True)  # likewise, in the log
    log_fault = models.TextField(blank=True)  # why the log is not kept at the moment
    log_fault_at = models.DateTimeField(null=True)  # since when
    gap_at = models.DateTimeField(null=True)  # when log was lost for the target: the next backup mends it
    told = models.TextField(blank=True)  # what was told by mail or webhook last

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="backup_plan_one")]

    def __str__(self) -> str:
        return self.target or "no target"


class BackupRun(models.Model):
    """A backup or a drill: waiting, on its way, or done."""

    class Kind(models.TextChoices):
        BACKUP = "backup", "Backup"
        DRILL = "drill", "Drill"

    kind = models.TextField(choices=Kind.choices)
    is_full = models.BooleanField(null=True)  # of a backup: asked for, or as it was made
    target = models.TextField(blank=True)
    backup_id = models.TextField(blank=True)  # made, or tried
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    fault = models.TextField(blank=True)  # why it failed
    size_bytes = models.BigIntegerField(default=0)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["kind", "asked_at"], name="backup_run_list")]

    def __str__(self) -> str:
        return f"{self.kind} {self.backup_id}"
