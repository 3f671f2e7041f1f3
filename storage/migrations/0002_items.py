"""What the ORM cannot declare for items: two sequences and the index that answers equality."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("storage", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE storage_item_revision CACHE 32",
            "DROP SEQUENCE storage_item_revision",
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE storage_process_number",
            "DROP SEQUENCE storage_process_number",
        ),
        migrations.RunSQL(
            """
            CREATE INDEX item_equality ON storage_item
            USING gin (jsonb_set('{}'::jsonb, ARRAY[base_id::text], value) jsonb_path_ops)
            WITH (fastupdate = off)
            """,
            "DROP INDEX item_equality",
        ),
    ]
