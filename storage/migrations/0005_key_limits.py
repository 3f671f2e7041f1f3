"""Limits of data keys, and what is left of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0004_audit_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataKeyAllowance",
            fields=[
                (
                    "data_key",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="allowance",
                        serialize=False,
                        to="storage.datakey",
                    ),
                ),
                ("tokens", models.FloatField()),
                ("filled_at", models.DateTimeField()),
                ("granted", models.IntegerField()),
                ("day", models.DateField()),
                ("used_bytes", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="datakey",
            name="bytes_per_day",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="datakey",
            name="requests_per_second",
            field=models.IntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="datakey",
            index=models.Index(
                condition=models.Q(
                    ("requests_per_second__isnull", False), ("bytes_per_day__isnull", False), _connector="OR"
                ),
                fields=["id"],
                name="datakey_limited",
            ),
        ),
    ]
