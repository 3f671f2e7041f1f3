"""All that the ORM can say of the tables. What it cannot say follows in `0002_raw_sql.py`."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import storage.names
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("storage", "0001_initial"),
        ("storage", "0003_people"),
        ("storage", "0004_files"),
        ("storage", "0005_drive_figures"),
        ("storage", "0006_item_edits"),
        ("storage", "0007_file_tidying"),
        ("storage", "0008_events"),
        ("storage", "0010_archives"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Collection",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=storage.names.new_collection_id,
                        editable=False,
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=128)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("scratch_of", models.UUIDField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="DataKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=128)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("secret_start", models.CharField(max_length=4)),
                ("secret_end", models.CharField(max_length=4)),
                ("can_write", models.BooleanField(default=True)),
                (
                    "base_names",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
                (
                    "drive_names",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="data_keys", to="storage.collection"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Base",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_collation="C", max_length=128)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bases", to="storage.collection"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("collection", "name"), name="base_name_unique")],
            },
        ),
        migrations.CreateModel(
            name="BaseFigures",
            fields=[
                (
                    "base",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="figures",
                        serialize=False,
                        to="storage.base",
                    ),
                ),
                ("items", models.BigIntegerField()),
                ("size_bytes", models.BigIntegerField()),
                ("changed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="DataKeyUse",
            fields=[
                (
                    "data_key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="use",
                        serialize=False,
                        to="storage.datakey",
                    ),
                ),
                ("first_used_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField()),
                ("client", models.CharField(max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("person_id", models.IntegerField(db_index=True, null=True)),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Count",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("counted_at", models.DateTimeField()),
                ("duration_ms", models.IntegerField()),
                ("writes_seen", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="count_single_row")],
            },
        ),
        migrations.CreateModel(
            name="Deletion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("collection_id", models.CharField(max_length=10)),
                ("name", models.CharField(max_length=128)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("base_ids", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                (
                    "drive_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("rows_expected", models.BigIntegerField()),
                ("rows_deleted", models.BigIntegerField(default=0)),
                ("emptied_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("member", "Member"), ("reader", "Read-only")], max_length=6
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=128)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                (
                    "collection",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="storage.collection"),
                ),
                (
                    "invited_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("member", "Member"), ("reader", "Read-only")], max_length=6
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="storage.collection"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("person", "collection"), name="membership_unique")],
            },
        ),
        migrations.CreateModel(
            name="File",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "drive_id", "name", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("drive_id", models.BigIntegerField()),
                ("name", models.TextField(db_collation="C")),
                ("size_bytes", models.BigIntegerField()),
                ("content_type", models.TextField()),
                ("etag", models.TextField()),
                ("blob_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ("blob_sizes", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("manifest_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Part",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "upload_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("upload_id", models.TextField()),
                ("number", models.IntegerField()),
                ("blob_id", models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name="Blob",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("state", models.TextField()),
                ("size_bytes", models.IntegerField(null=True)),
                ("md5", models.TextField(null=True)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "live"), _negated=True),
                        fields=["state", "changed_at"],
                        name="blob_sweep",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "live", "garbage"])), name="blob_state"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Drive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_collation="C", max_length=128)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drives", to="storage.collection"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("collection", "name"), name="drive_name_unique")],
            },
        ),
        migrations.CreateModel(
            name="DriveFigures",
            fields=[
                (
                    "drive",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="figures",
                        serialize=False,
                        to="storage.drive",
                    ),
                ),
                ("files", models.BigIntegerField()),
                ("size_bytes", models.BigIntegerField()),
                ("changed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "base_id", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("base_id", models.BigIntegerField()),
                ("key", models.TextField(db_collation="C")),
                ("value", models.JSONField()),
                ("size_bytes", models.IntegerField()),
                ("revision", models.BigIntegerField()),
                ("changed_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("changed_by_key", models.BigIntegerField(null=True)),
                ("changed_by_person", models.BigIntegerField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)), fields=["expires_at"], name="item_expiry"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SaveReceipt",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "save_id", "batch", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("save_id", models.UUIDField()),
                ("batch", models.IntegerField()),
                ("base_id", models.BigIntegerField()),
                ("person_id", models.BigIntegerField(null=True)),
                ("digest", models.BinaryField(max_length=32)),
                ("results", models.TextField(null=True)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["made_at"], name="save_receipt_sweep")],
            },
        ),
        migrations.CreateModel(
            name="DeletedFile",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "deletion_id", "name", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("deletion_id", models.BigIntegerField()),
                ("name", models.TextField(db_collation="C")),
                ("size_bytes", models.BigIntegerField()),
                ("content_type", models.TextField()),
                ("etag", models.TextField()),
                ("blob_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ("blob_sizes", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("manifest_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Folder",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "drive_id", "path", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("drive_id", models.BigIntegerField()),
                ("path", models.TextField(db_collation="C")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("collection_id", models.TextField()),
                ("drive_name", models.TextField()),
                ("file_name", models.TextField()),
                ("content_type", models.TextField(null=True)),
                ("touched_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("fingerprint", models.TextField(null=True)),
                ("if_exists", models.TextField(null=True)),
                ("person_id", models.IntegerField(null=True)),
                ("size_bytes", models.BigIntegerField(null=True)),
                ("stored_name", models.TextField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["touched_at"], name="upload_sweep"),
                    models.Index(
                        condition=models.Q(("person_id__isnull", False)),
                        fields=["person_id", "fingerprint"],
                        name="upload_resume",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FileDeletion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("drive_id", models.BigIntegerField()),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("names", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("folders", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                (
                    "kept_folders",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("files", models.BigIntegerField()),
                ("size_bytes", models.BigIntegerField()),
                ("deleted", models.BigIntegerField(default=0)),
                ("restored", models.BigIntegerField(default=0)),
                (
                    "renamed",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("undo_asked_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("forgotten_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["drive_id"], name="file_deletion_drive"),
                    models.Index(
                        condition=models.Q(("forgotten_at__isnull", True), ("undone_at__isnull", True)),
                        fields=["asked_at"],
                        name="file_deletion_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EventMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "collection_id", "minute", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("collection_id", models.TextField(db_collation="C")),
                ("minute", models.IntegerField()),
                ("requests", models.IntegerField()),
                ("errors", models.IntegerField()),
                ("size_bytes", models.BigIntegerField()),
                ("lost", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="PinnedEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "collection_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("collection_id", models.TextField(db_collation="C")),
                ("id", models.UUIDField()),
                ("event", models.BinaryField()),
                ("pinned_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Recording",
            fields=[
                (
                    "collection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="recording",
                        serialize=False,
                        to="storage.collection",
                    ),
                ),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("uploading", "Uploading"),
                            ("checking", "Checking"),
                            ("checked", "Ready"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="uploading",
                    ),
                ),
                ("is_direct", models.BooleanField(default=False)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("touched_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("file_name", models.TextField()),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("size_expected", models.BigIntegerField()),
                ("is_kept", models.BooleanField(default=True)),
                ("bytes_expected", models.BigIntegerField(default=0)),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("plan", models.JSONField(default=dict)),
                ("choices", models.JSONField(default=dict)),
                ("report", models.JSONField(default=dict)),
                ("position", models.JSONField(default=dict)),
                ("problems_total", models.BigIntegerField(default=0)),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="imports", to="storage.collection"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["collection", "asked_at"], name="import_list")],
            },
        ),
        migrations.CreateModel(
            name="ImportProblem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.TextField()),
                ("spot", models.TextField(blank=True)),
                ("key", models.TextField(blank=True)),
                ("what", models.TextField()),
                (
                    "found_in",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="problems", to="storage.import"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SnapshotSchedule",
            fields=[
                (
                    "collection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="schedule",
                        serialize=False,
                        to="storage.collection",
                    ),
                ),
                ("every", models.TextField(choices=[("day", "Every day"), ("week", "Every week")])),
                ("keep", models.IntegerField()),
                ("is_checked", models.BooleanField(default=True)),
                ("next_at", models.DateTimeField()),
                (
                    "set_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("keep__gte", 1), ("keep__lte", 100)), name="snapshot_keep"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.TextField(
                        choices=[("queued", "Waiting"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        default="queued",
                    ),
                ),
                ("is_snapshot", models.BooleanField(default=False)),
                ("is_direct", models.BooleanField(default=False)),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(null=True)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("bytes_expected", models.BigIntegerField(default=0)),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("bases", models.IntegerField(default=0)),
                ("items", models.BigIntegerField(default=0)),
                ("drives", models.IntegerField(default=0)),
                ("files", models.BigIntegerField(default=0)),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("reason", models.TextField(blank=True)),
                (
                    "check_state",
                    models.TextField(
                        blank=True,
                        choices=[
                            ("", "Not tried"),
                            ("wanted", "Waiting"),
                            ("running", "Running"),
                            ("good", "Restored and compared"),
                            ("bad", "Differs from the collection"),
                        ],
                        default="",
                    ),
                ),
                ("check_note", models.TextField(blank=True)),
                ("checked_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="storage.collection"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["collection", "asked_at"], name="export_list")],
            },
        ),
    ]
