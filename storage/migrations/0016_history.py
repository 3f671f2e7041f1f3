"""Every change of an item is noted by the database itself, so that no writer can forget to.

One row for each change, with what the item was before; what it became is in the next row of its key, or in the item. So an insert
costs a small row, and dropping the oldest rows leaves the others whole. Partitioned by day, as recorded requests are; days are made
ahead and dropped by a job, and `storage_itemversion_other` takes what has no day of its own.

The ids are drawn while the item's row is locked, so those of one key grow in the order of its changes. They do not commit in
that order (`storage/history/horizon.py`). A statement draws 4,096 of them at a time: one for each row made writers wait for each
other at the sequence.

The triggers run once for a statement: for a batch they cost half of what one for each row does. Their plan is made for as many rows
as the first statement of a session has, which may be one: without nested loops it suits thousands as well.
"""

from django.db import migrations, models

# One at a time, each for 4,096 ids: those taken ahead by sessions would not grow with the changes of one key.
VERSIONS = """
CREATE SEQUENCE storage_item_version INCREMENT BY 4096 START WITH 4096;
CREATE TABLE storage_itemversion (
    id bigint NOT NULL,
    at timestamptz NOT NULL,
    base_id bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    kind "char" NOT NULL,
    revision bigint NOT NULL,
    before jsonb,
    before_revision bigint,
    size_bytes integer NOT NULL,
    by_key bigint,
    by_person bigint
) PARTITION BY RANGE (at);
CREATE INDEX itemversion_key ON storage_itemversion (base_id, key, id);
CREATE INDEX itemversion_feed ON storage_itemversion (base_id, id);
CREATE TABLE storage_itemversion_other PARTITION OF storage_itemversion DEFAULT;
"""
# Who writes stands in the item's row, but for what deletes it and for jobs: these set `homeport.by` for their transaction, as `k`
# or `p` and the id. With `homeport.history` set to `off`, and in Bases that keep none, what was before is left out.
NOTING = """
CREATE FUNCTION storage_note_new_items() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    who text := nullif(current_setting('homeport.by', true), '');
    ids bigint[] := '{}';
    total bigint;
BEGIN
    SELECT count(*) INTO total FROM new_rows;
    IF total = 0 THEN RETURN NULL; END IF;
    FOR block IN 1..(total + 4095) / 4096 LOOP ids := ids || nextval('storage_item_version'); END LOOP;
    INSERT INTO storage_itemversion (id, at, base_id, key, kind, revision, size_bytes, by_key, by_person)
    SELECT ids[(row_number() OVER () + 4095) / 4096] + (row_number() OVER () - 1) % 4096, clock_timestamp(),
           n.base_id, n.key, 'c', n.revision, 0,
           coalesce(n.changed_by_key, CASE WHEN n.changed_by_person IS NULL AND who LIKE 'k%' THEN substr(who, 2)::bigint END),
           coalesce(n.changed_by_person, CASE WHEN n.changed_by_key IS NULL AND who LIKE 'p%' THEN substr(who, 2)::bigint END)
    FROM new_rows n;
    RETURN NULL;
END $$;
CREATE FUNCTION storage_note_changed_items() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    who text := nullif(current_setting('homeport.by', true), '');
    is_kept boolean := coalesce(current_setting('homeport.history', true), '') <> 'off';
    ids bigint[] := '{}';
    total bigint;
BEGIN
    SELECT count(*) INTO total FROM new_rows;
    IF total = 0 THEN RETURN NULL; END IF;
    FOR block IN 1..(total + 4095) / 4096 LOOP ids := ids || nextval('storage_item_version'); END LOOP;
    INSERT INTO storage_itemversion
        (id, at, base_id, key, kind, revision, before, before_revision, size_bytes, by_key, by_person)
    SELECT ids[(row_number() OVER () + 4095) / 4096] + (row_number() OVER () - 1) % 4096, clock_timestamp(),
           n.base_id, n.key, 'u', n.revision,
           CASE WHEN kept THEN o.value END, o.revision, CASE WHEN kept THEN o.size_bytes ELSE 0 END,
           coalesce(n.changed_by_key, CASE WHEN n.changed_by_person IS NULL AND who LIKE 'k%' THEN substr(who, 2)::bigint END),
           coalesce(n.changed_by_person, CASE WHEN n.changed_by_key IS NULL AND who LIKE 'p%' THEN substr(who, 2)::bigint END)
    FROM new_rows n JOIN old_rows o ON o.base_id = n.base_id AND o.key = n.key
    CROSS JOIN LATERAL (
        SELECT is_kept AND coalesce((SELECT b.history_kept FROM storage_base b WHERE b.id = n.base_id), true) AS kept OFFSET 0) k
    WHERE o.revision <> n.revision;
    RETURN NULL;
END $$;
CREATE FUNCTION storage_note_deleted_items() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    who text := nullif(current_setting('homeport.by', true), '');
    is_kept boolean := coalesce(current_setting('homeport.history', true), '') <> 'off';
    ids bigint[] := '{}';
    total bigint;
BEGIN
    SELECT count(*) INTO total FROM old_rows;
    IF total = 0 THEN RETURN NULL; END IF;
    FOR block IN 1..(total + 4095) / 4096 LOOP ids := ids || nextval('storage_item_version'); END LOOP;
    INSERT INTO storage_itemversion
        (id, at, base_id, key, kind, revision, before, before_revision, size_bytes, by_key, by_person)
    SELECT ids[(row_number() OVER () + 4095) / 4096] + (row_number() OVER () - 1) % 4096, clock_timestamp(),
           o.base_id, o.key,
           CASE WHEN o.expires_at <= now() THEN 'e' ELSE 'd' END::"char", nextval('storage_item_revision'),
           CASE WHEN kept THEN o.value END, o.revision, CASE WHEN kept THEN o.size_bytes ELSE 0 END,
           CASE WHEN who LIKE 'k%' THEN substr(who, 2)::bigint END, CASE WHEN who LIKE 'p%' THEN substr(who, 2)::bigint END
    FROM old_rows o
    LEFT JOIN storage_base b ON b.id = o.base_id
    CROSS JOIN LATERAL (SELECT is_kept AND coalesce(b.history_kept, true) AS kept) k;
    RETURN NULL;
END $$;
CREATE TRIGGER note_new_items AFTER INSERT ON storage_item
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage_note_new_items();
CREATE TRIGGER note_changed_items AFTER UPDATE ON storage_item
    REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage_note_changed_items();
CREATE TRIGGER note_deleted_items AFTER DELETE ON storage_item
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage_note_deleted_items();
"""
# Where the history of a Base begins: nothing that happened by this version, or this moment, is sure to be there. The Base 0 stands
# for all of them.
BEGINNINGS = """
CREATE TABLE storage_historybeginning (
    base_id bigint PRIMARY KEY,
    version_id bigint NOT NULL,
    at timestamptz NOT NULL
);
INSERT INTO storage_historybeginning (base_id, version_id, at) VALUES (0, 0, now());
"""
# Items hang on their Base's id. Where a name got another id, or none, or one again, this is when: until then it had `base_id` (0 for
# none), from then on `next_id` (NULL for none). The version's id is drawn at that moment, so it stands between those before and after.
TURNS = """
CREATE TABLE storage_baseturn (
    version_id bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    base_id bigint NOT NULL,
    next_id bigint,
    collection_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    by_person bigint
);
CREATE INDEX baseturn_base ON storage_baseturn (base_id);
CREATE INDEX baseturn_next ON storage_baseturn (next_id);
CREATE INDEX baseturn_name ON storage_baseturn (collection_id, name);
"""
# What is kept by hour, so that a collection over its size is found without counting, and the last version that was on the sequence
# when a day began, below which all of the days before are.
FIGURES = """
CREATE TABLE storage_historyhour (
    base_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (base_id, hour)
);
CREATE TABLE storage_historyday (day date PRIMARY KEY, version_id bigint NOT NULL);
CREATE TABLE storage_historycount (id smallint PRIMARY KEY CHECK (id = 1), version_id bigint NOT NULL);
INSERT INTO storage_historycount (id, version_id) VALUES (1, 0);
"""
UNDO = """
DROP TRIGGER note_new_items ON storage_item;
DROP TRIGGER note_changed_items ON storage_item;
DROP TRIGGER note_deleted_items ON storage_item;
DROP FUNCTION storage_note_new_items, storage_note_changed_items, storage_note_deleted_items;
DROP TABLE storage_historyhour, storage_historyday, storage_historycount;
DROP TABLE storage_baseturn, storage_historybeginning, storage_itemversion;
DROP SEQUENCE storage_item_version;
"""


class Migration(migrations.Migration):
    dependencies = [("storage", "0015_no_process_numbers")]

    operations = [
        migrations.AddField(model_name="base", name="history_kept", field=models.BooleanField(db_default=True)),
        migrations.RunSQL([VERSIONS, NOTING, BEGINNINGS, TURNS, FIGURES], UNDO),
    ]
