"""Copies of whole Drives on their way."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0013_share_links"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FileToCopy",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "duplication_id", "name", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("duplication_id", models.UUIDField()),
                ("name", models.TextField(db_collation="C")),
            ],
        ),
        migrations.CreateModel(
            name="Duplication",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("source_id", models.BigIntegerField()),
                ("target_id", models.BigIntegerField()),
                ("source_name", models.TextField()),
                (
                    "state",
                    models.TextField(
                        choices=[("queued", "Waiting"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        default="queued",
                    ),
                ),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("listed_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("moved_on_at_attempt", models.IntegerField(default=0)),
                ("expected", models.BigIntegerField()),
                ("expected_bytes", models.BigIntegerField()),
                ("copied", models.BigIntegerField(default=0)),
                ("copied_bytes", models.BigIntegerField(default=0)),
                ("bytes_under_way", models.BigIntegerField(default=0)),
                ("left_out", models.BigIntegerField(default=0)),
                (
                    "problems",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="duplications",
                        to="storage.collection",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["target_id"], name="duplication_target"),
                    models.Index(fields=["source_id"], name="duplication_source"),
                ],
            },
        ),
    ]
