"""Micros, their deployments, addresses, keys and logs."""

import django.db.models.deletion
import django.db.models.functions.datetime
import storage.names
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0006_sign_in_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MicroMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "micro_id", "minute", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("micro_id", models.TextField(db_collation="C")),
                ("minute", models.IntegerField()),
                ("requests", models.IntegerField()),
                ("errors", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Deployment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("runtime", models.TextField()),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("queued", "Waiting"),
                            ("building", "Installing"),
                            ("starting", "Starting"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                    ),
                ),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("bundle_bytes", models.BigIntegerField(default=0)),
                ("bundle_digest", models.TextField(blank=True)),
                ("code_bytes", models.BigIntegerField(default=0)),
                ("files", models.IntegerField(default=0)),
                ("dependencies_id", models.UUIDField(null=True)),
                ("dependencies_bytes", models.BigIntegerField(default=0)),
                ("dependencies_digest", models.TextField(blank=True)),
                ("runs_on", models.TextField(blank=True)),
                ("reason", models.TextField(blank=True)),
                ("is_kept", models.BooleanField(default=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Micro",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=storage.names.new_micro_id,
                        editable=False,
                        max_length=12,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=128)),
                ("subdomain", models.CharField(max_length=32, unique=True)),
                ("runtime", models.TextField()),
                ("has_sign_in", models.BooleanField(default=True)),
                ("is_recorded", models.BooleanField(default=False)),
                ("is_kept_warm", models.BooleanField(default=False)),
                ("idle_minutes", models.IntegerField(default=5)),
                ("sealed_variables", models.BinaryField(default=bytes)),
                ("sealed_data_key", models.BinaryField(default=bytes)),
                ("version", models.BigIntegerField(default=1)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("deployed_at", models.DateTimeField(null=True)),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="micros", to="storage.collection"
                    ),
                ),
                (
                    "data_key",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="storage.datakey"
                    ),
                ),
                (
                    "deployment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="storage.deployment",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="deployment",
            name="micro",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="deployments", to="storage.micro"
            ),
        ),
        migrations.CreateModel(
            name="MicroDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField(unique=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "micro",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="domains", to="storage.micro"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MicroKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=128)),
                ("description", models.CharField(blank=True, max_length=500)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("prefix", models.CharField(max_length=8)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "micro",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="api_keys", to="storage.micro"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MicroLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("micro_id", models.TextField(db_collation="C")),
                ("deployment_id", models.UUIDField(null=True)),
                ("request_id", models.UUIDField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "source",
                    models.SmallIntegerField(choices=[(0, "output"), (1, "error"), (2, "server"), (3, "build")]),
                ),
                ("text", models.TextField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["micro_id", "id"], name="micro_line_list"),
                    models.Index(
                        condition=models.Q(("request_id__isnull", False)),
                        fields=["request_id"],
                        name="micro_line_request",
                    ),
                    models.Index(fields=["at"], name="micro_line_age"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="micro",
            constraint=models.UniqueConstraint(fields=("collection", "name"), name="micro_name_unique"),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.UniqueConstraint(fields=("micro", "number"), name="deployment_number_unique"),
        ),
        migrations.AddConstraint(
            model_name="microkey",
            constraint=models.UniqueConstraint(fields=("micro", "name"), name="micro_key_name_unique"),
        ),
    ]
