"""Work that one process does at a time is held by rows that end by themselves, and no longer by locks of sessions."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0017_attribute_indexes")]

    operations = [
        migrations.CreateModel(
            name="WorkLease",
            fields=[
                ("work", models.TextField(primary_key=True, serialize=False)),
                ("holder", models.UUIDField()),
                ("ends_at", models.DateTimeField()),
            ],
        ),
    ]
