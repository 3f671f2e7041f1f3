"""Schedules of Micros, and the runs of their functions."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0008_access_tokens"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MicroRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.TextField(choices=[("run", "Run"), ("cron", "Cron")])),
                ("action", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("skipped", "Left out"),
                        ],
                        default="queued",
                    ),
                ),
                ("limit_seconds", models.IntegerField(null=True)),
                ("is_overlapping", models.BooleanField(default=False)),
                ("attempts", models.IntegerField(default=0)),
                ("started_at", models.DateTimeField(null=True)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("input", models.TextField(blank=True)),
                ("answer", models.TextField(blank=True)),
                ("is_cut", models.BooleanField(default=False)),
                ("is_forgotten", models.BooleanField(default=False)),
                ("reason", models.TextField(blank=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "micro",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="storage.micro"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["micro", "asked_at", "id"], name="micro_run_list"),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["asked_at", "id"],
                        name="micro_run_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["micro"],
                        name="micro_run_under_way",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=("micro", "due_at"),
                        name="micro_run_due_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MicroSchedule",
            fields=[
                (
                    "micro",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="schedule",
                        serialize=False,
                        to="storage.micro",
                    ),
                ),
                ("expression", models.CharField(max_length=200)),
                ("limit_seconds", models.IntegerField(null=True)),
                ("set_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("next_at", models.DateTimeField(null=True)),
                ("failures_in_row", models.IntegerField(default=0)),
                ("overlapped_at", models.DateTimeField(null=True)),
                (
                    "set_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["next_at"], name="micro_schedule_due")],
            },
        ),
    ]
