"""Counters of tries, such as wrong passwords, and who made a data key."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0002_raw_sql"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Throttle",
            fields=[
                ("who", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("tries", models.IntegerField()),
                ("ends_at", models.DateTimeField(db_index=True)),
                ("most", models.IntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="datakey",
            name="made_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
