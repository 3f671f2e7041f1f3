"""Share links: anybody who has one can download one file of a Drive. And thumbnails of pictures."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0012_saved_views"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("drive_id", models.BigIntegerField()),
                ("file_name", models.TextField(db_collation="C")),
                ("file_created_at", models.DateTimeField()),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("prefix", models.CharField(max_length=6)),
                ("password", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("downloads", models.BigIntegerField(default=0)),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["drive_id", "file_name"], name="share_link_file")],
            },
        ),
        migrations.CreateModel(
            name="Thumbnail",
            fields=[
                ("blob_id", models.UUIDField(primary_key=True, serialize=False)),
                ("blob_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ("blob_sizes", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("state", models.TextField(default="wanted")),
                ("thumb_id", models.UUIDField(null=True)),
                ("size_bytes", models.IntegerField(default=0)),
                ("attempts", models.IntegerField(default=0)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("state", "wanted")), fields=["asked_at"], name="thumbnail_wanted")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["wanted", "made", "none"])), name="thumbnail_state"
                    )
                ],
            },
        ),
    ]
