"""Generated keys hold no number of a process any more (`storage/base/generated_keys.py`)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("storage", "0014_duplications")]

    operations = [
        migrations.RunSQL("DROP SEQUENCE storage_process_number", "CREATE SEQUENCE storage_process_number"),
    ]
