"""Blocks of recorded requests, partitioned by day: what the ORM cannot declare.

The ids begin with the time (see `storage/events/ids.py`), so they can be the partitions' key. Whole days are made ahead and
dropped by a job (`storage/events/retention.py`); `storage_eventblock_other` takes what has no day of its own, so that a job that
comes late loses nothing.
"""

from django.db import migrations

# What is compressed already is not tried again; the rows of lists stay apart from what they do not show.
TABLE = """
CREATE TABLE storage_eventblock (
    collection_id text COLLATE "C" NOT NULL,
    last_id uuid NOT NULL,
    first_id uuid NOT NULL,
    events integer NOT NULL,
    errors integer NOT NULL,
    by_hand integer NOT NULL,
    slowest_us integer NOT NULL,
    lines bytea STORAGE EXTERNAL NOT NULL,
    contents bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (collection_id, last_id)
) PARTITION BY RANGE (last_id)
"""
INDEXES = """
CREATE INDEX eventblock_errors ON storage_eventblock (collection_id, last_id) WHERE errors > 0;
CREATE INDEX eventblock_by_hand ON storage_eventblock (collection_id, last_id) WHERE by_hand > 0;
"""


class Migration(migrations.Migration):
    dependencies = [("storage", "0008_events")]

    operations = [
        migrations.RunSQL(TABLE, "DROP TABLE storage_eventblock"),
        migrations.RunSQL(INDEXES, migrations.RunSQL.noop),
        migrations.RunSQL(
            "CREATE TABLE storage_eventblock_other PARTITION OF storage_eventblock DEFAULT", migrations.RunSQL.noop
        ),
    ]
