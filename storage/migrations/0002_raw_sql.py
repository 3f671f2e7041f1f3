"""What the ORM cannot say: sequences, indexes on expressions, and the partitioned table of recorded requests."""

from django.db import migrations

# A session takes some revisions ahead, so they tell two states apart and not which of them is the later.
SEQUENCES = """
CREATE SEQUENCE storage_item_revision CACHE 32;
CREATE SEQUENCE storage_process_number;
"""
# Equality on any attribute of any Base (CONTRIBUTING.md has the price).
ITEM_EQUALITY = """
CREATE INDEX item_equality ON storage_item
USING gin (jsonb_set('{}'::jsonb, ARRAY[base_id::text], value) jsonb_path_ops)
WITH (fastupdate = off)
"""
# Folders first and their files by pages, in no more time for a million files than for a hundred.
FILE_FOLDER = """
CREATE INDEX file_folder ON storage_file (drive_id, (coalesce(substring(name from '^.*/'), '')), name)
"""
# Blocks of recorded requests, partitioned by day: the ids begin with the time, so they can be the partitions' key. Whole days
# are made ahead and dropped by a job; `storage_eventblock_other` takes what has no day of its own, so that a job that
# comes late loses nothing. What is compressed already is not tried again; the rows of lists stay apart from what they do
# not show.
EVENT_BLOCKS = """
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
) PARTITION BY RANGE (last_id);
CREATE INDEX eventblock_errors ON storage_eventblock (collection_id, last_id) WHERE errors > 0;
CREATE INDEX eventblock_by_hand ON storage_eventblock (collection_id, last_id) WHERE by_hand > 0;
CREATE TABLE storage_eventblock_other PARTITION OF storage_eventblock DEFAULT;
"""


class Migration(migrations.Migration):
    replaces = [("storage", "0002_items"), ("storage", "0009_event_blocks")]
    dependencies = [("storage", "0001_schema")]

    operations = [
        migrations.RunSQL(SEQUENCES, "DROP SEQUENCE storage_item_revision, storage_process_number"),
        migrations.RunSQL(ITEM_EQUALITY, "DROP INDEX item_equality"),
        migrations.RunSQL(FILE_FOLDER, "DROP INDEX file_folder"),
        migrations.RunSQL(EVENT_BLOCKS, "DROP TABLE storage_eventblock"),
    ]
