"""What people did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0003_throttles_and_makers"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=7)),
                ("person_id", models.IntegerField(null=True)),
                ("name", models.CharField(blank=True, max_length=300)),
                ("address", models.CharField(blank=True, max_length=300)),
                ("verb", models.CharField(max_length=40)),
                ("collection_id", models.CharField(blank=True, max_length=10)),
                ("collection_name", models.CharField(blank=True, max_length=128)),
                ("about", models.CharField(blank=True, max_length=300)),
                ("amount", models.BigIntegerField()),
                ("details", models.JSONField()),
                ("merge_id", models.UUIDField(null=True, unique=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["at", "id"], name="audit_by_time"),
                    models.Index(fields=["actor", "name", "at", "id"], name="audit_by_person"),
                    models.Index(fields=["collection_id", "at", "id"], name="audit_of_collection"),
                    models.Index(
                        fields=["collection_id", "actor", "name", "at", "id"], name="audit_of_collection_by_person"
                    ),
                ],
            },
        ),
    ]
