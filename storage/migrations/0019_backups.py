"""Backups of the whole server, and which blobs are in their target."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0018_work_leases"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BackupPlan",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("target", models.TextField(blank=True)),
                ("every_hours", models.IntegerField(default=24)),
                ("full_every_days", models.IntegerField(default=7)),
                ("keep_days", models.IntegerField(default=30)),
                ("drill_every_days", models.IntegerField(default=7)),
                ("line", models.TextField(blank=True)),
                ("target_id", models.TextField(blank=True)),
                ("beat_at", models.DateTimeField(null=True)),
                ("kept_until", models.DateTimeField(null=True)),
                ("kept_position", models.TextField(blank=True)),
                ("log_fault", models.TextField(blank=True)),
                ("log_fault_at", models.DateTimeField(null=True)),
                ("gap_at", models.DateTimeField(null=True)),
                ("told", models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="BackupRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField(choices=[("backup", "Backup"), ("drill", "Drill")])),
                ("is_full", models.BooleanField(null=True)),
                ("target", models.TextField(blank=True)),
                ("backup_id", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("fault", models.TextField(blank=True)),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("details", models.JSONField(default=dict)),
            ],
        ),
        migrations.AddField(
            model_name="blob",
            name="backed_up_sha256",
            field=models.BinaryField(null=True),
        ),
        migrations.AddIndex(
            model_name="blob",
            index=models.Index(
                condition=models.Q(
                    ("backed_up_sha256__isnull", True),
                    ("size_bytes__isnull", False),
                    models.Q(("state", "pending"), _negated=True),
                ),
                fields=["id"],
                name="blob_to_back_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="backupplan",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="backup_plan_one"),
        ),
        migrations.AddField(
            model_name="backuprun",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="backuprun",
            index=models.Index(fields=["kind", "asked_at"], name="backup_run_list"),
        ),
    ]
