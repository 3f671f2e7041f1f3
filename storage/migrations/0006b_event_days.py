"""Recorded requests, partitioned by day: what the ORM cannot declare.

The ids begin with the time (see `storage/event_ids.py`), so they can be the partitions' key. Whole days are made ahead and
dropped by a job (`storage/event_days.py`); `storage_event_other` takes what has no day of its own, so that a job that comes late loses
nothing, and keeps pinned events of dropped days.
"""

from django.db import migrations

# Bodies are stored apart from the rows of lists and as they are: compressing them would take longer than sending the answer.
TABLE = """
CREATE TABLE storage_event (
    collection_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    query text NOT NULL,
    status smallint NOT NULL,
    duration_us integer NOT NULL,
    bytes_in bigint NOT NULL,
    bytes_out bigint NOT NULL,
    key_id bigint,
    origin text NOT NULL,
    replay_of uuid,
    is_pinned boolean NOT NULL DEFAULT false,
    size_bytes integer NOT NULL,
    details text STORAGE EXTERNAL NOT NULL,
    request_body text STORAGE EXTERNAL,
    response_body text STORAGE EXTERNAL,
    PRIMARY KEY (collection_id, id)
) PARTITION BY RANGE (id)
"""
# Each holds few of the events, and so costs recording next to nothing.
INDEXES = """
CREATE INDEX event_errors ON storage_event (collection_id, id) WHERE status >= 400;
CREATE INDEX event_pinned ON storage_event (collection_id, id) WHERE is_pinned;
CREATE INDEX event_by_hand ON storage_event (collection_id, id) WHERE origin <> 'app';
"""


class Migration(migrations.Migration):
    dependencies = [("storage", "0006_events")]

    operations = [
        migrations.RunSQL(TABLE, "DROP TABLE storage_event"),
        migrations.RunSQL(INDEXES, migrations.RunSQL.noop),
        migrations.RunSQL(
            "CREATE TABLE storage_event_other PARTITION OF storage_event DEFAULT", migrations.RunSQL.noop
        ),
    ]
