"""Schedules of Micros, and the runs of their functions: those that people ask for, and those that a schedule brings."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from storage import limits
from storage.models.micros import Micro

_WARNED_FOR = timedelta(days=1)


class MicroSchedule(models.Model):
    """When a Micro's cron functions run."""

    micro = models.OneToOneField(Micro, on_delete=models.CASCADE, primary_key=True, related_name="schedule")
    expression = models.CharField(max_length=limits.MICRO_EXPRESSION_MAX_CHARACTERS)
    limit_seconds = models.IntegerField(null=True)  # that a run may take; none: as long as a request
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    set_at = models.DateTimeField(db_default=Now())
    next_at = models.DateTimeField(null=True)  # none: never again
    failures_in_row = models.IntegerField(default=0)
    overlapped_at = models.DateTimeField(null=True)  # when a run was due last while one before still went on

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="micro_schedule_due")]

    def __str__(self) -> str:
        return f"{self.micro_id}: {self.expression}"

    @property
    def fails(self) -> bool:
        """Whether so many runs failed one after the other that its pages warn."""
        return self.failures_in_row >= limits.MICRO_FAILURES_WARNED

    @property
    def is_overlapping(self) -> bool:
        """Whether runs overlapped in the last day, so that its pages warn."""
        return self.overlapped_at is not None and timezone.now() - self.overlapped_at < _WARNED_FOR


class MicroRun(models.Model):
    """One call of a Micro's functions. Its id is that of the request, which marks what is printed meanwhile."""

    class Kind(models.TextChoices):
        RUN = "run", "Run"
        CRON = "cron", "Cron"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Left out"  # it was due while too many waited
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    micro = models.ForeignKey(Micro, on_delete=models.CASCADE, related_name="runs")
    kind = models.TextField(choices=Kind.choices)
    action = models.TextField(blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    asked_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True)  # by the schedule
    state = models.TextField(choices=State.choices, default=State.QUEUED)
    limit_seconds = models.IntegerField(null=True)  # none: as long as a request
    is_overlapping = models.BooleanField(default=False)  # it was due while one before still went on
    attempts = models.IntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)  # the last sign of life of who waits for its answer
    finished_at = models.DateTimeField(null=True)
    input = models.TextField(blank=True)  # JSON
    answer = models.TextField(blank=True)  # JSON, unless it was cut
    is_cut = models.BooleanField(default=False)  # the answer was longer than what is kept of it
    is_forgotten = models.BooleanField(default=False)  # input and answer are no longer kept
    reason = models.TextField(blank=True)  # why it failed, was left out or cancelled

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["micro", "due_at"], name="micro_run_due_once", condition=models.Q(due_at__isnull=False)
            )
        ]
        indexes = [
            models.Index(fields=["micro", "asked_at", "id"], name="micro_run_list"),
            models.Index(
                fields=["asked_at", "id"], name="micro_run_waiting", condition=models.Q(state__in=["queued", "running"])
            ),
            models.Index(
                fields=["micro"], name="micro_run_under_way", condition=models.Q(state__in=["queued", "running"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.micro_id} {self.kind} {self.action} ({self.state})"

    @property
    def took_ms(self) -> int | None:
        """From its start to its end, in milliseconds."""
        if self.started_at is None or self.finished_at is None:
            return None
        return int((self.finished_at - self.started_at).total_seconds() * 1_000)

    @property
    def took(self) -> str:
        """The same for people; empty while it is not over."""
        if (ms := self.took_ms) is None:
            return ""
        minutes, seconds = divmod(ms / 1_000, 60)
        return f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.2f} s" if ms >= 1_000 else f"{ms} ms"

    @property
    def first_line(self) -> str:
        """Of why it failed."""
        return self.reason.partition("\n")[0]
