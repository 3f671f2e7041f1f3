"""What the database notes of a change, for less where it is one item's, as most are.

The functions of `0016_history.py` and `0017_attribute_indexes.py` do what they did. Most of their time went into plans being set up,
not into rows: so one row has a plain statement of its own, and the entries of indexes are not looked at where no value of one
changed. A plan that was made for one row suits thousands because it has no nested loops.
"""

from django.db import migrations

NOTING = """
CREATE OR REPLACE FUNCTION storage_note_new_items() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total bigint := (SELECT count(*) FROM new_rows);
    who text;
    ids bigint[] := '{}';
BEGIN
    IF total = 0 THEN RETURN NULL; END IF;
    who := nullif(current_setting('homeport.by', true), '');
    IF total = 1 THEN
        INSERT INTO storage_itemversion (id, at, base_id, key, kind, revision, size_bytes, by_key, by_person)
        SELECT nextval('storage_item_version'), clock_timestamp(), n.base_id, n.key, 'c', n.revision, 0,
               coalesce(n.changed_by_key, CASE WHEN n.changed_by_person IS NULL AND who LIKE 'k%' THEN substr(who, 2)::bigint END),
               coalesce(n.changed_by_person, CASE WHEN n.changed_by_key IS NULL AND who LIKE 'p%' THEN substr(who, 2)::bigint END)
        FROM new_rows n;
        RETURN NULL;
    END IF;
    FOR block IN 1..(total + 4095) / 4096 LOOP ids := ids || nextval('storage_item_version'); END LOOP;
    INSERT INTO storage_itemversion (id, at, base_id, key, kind, revision, size_bytes, by_key, by_person)
    SELECT ids[(row_number() OVER () + 4095) / 4096] + (row_number() OVER () - 1) % 4096, clock_timestamp(),
           n.base_id, n.key, 'c', n.revision, 0,
           coalesce(n.changed_by_key, CASE WHEN n.changed_by_person IS NULL AND who LIKE 'k%' THEN substr(who, 2)::bigint END),
           coalesce(n.changed_by_person, CASE WHEN n.changed_by_key IS NULL AND who LIKE 'p%' THEN substr(who, 2)::bigint END)
    FROM new_rows n;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION storage_note_changed_items() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
DECLARE
    total bigint := (SELECT count(*) FROM new_rows);
    who text;
    is_kept boolean;
    ids bigint[] := '{}';
BEGIN
    IF total = 0 THEN RETURN NULL; END IF;
    who := nullif(current_setting('homeport.by', true), '');
    is_kept := coalesce(current_setting('homeport.history', true), '') <> 'off';
    IF total = 1 THEN
        INSERT INTO storage_itemversion
            (id, at, base_id, key, kind, revision, before, before_revision, size_bytes, by_key, by_person)
        SELECT nextval('storage_item_version'), clock_timestamp(), n.base_id, n.key, 'u', n.revision,
               CASE WHEN kept THEN o.value END, o.revision, CASE WHEN kept THEN o.size_bytes ELSE 0 END,
               coalesce(n.changed_by_key, CASE WHEN n.changed_by_person IS NULL AND who LIKE 'k%' THEN substr(who, 2)::bigint END),
               coalesce(n.changed_by_person, CASE WHEN n.changed_by_key IS NULL AND who LIKE 'p%' THEN substr(who, 2)::bigint END)
        FROM new_rows n, old_rows o
        CROSS JOIN LATERAL (
            SELECT is_kept AND coalesce((SELECT b.history_kept FROM storage_base b WHERE b.id = o.base_id), true) AS kept OFFSET 0
        ) k
        WHERE o.revision <> n.revision;
        RETURN NULL;
    END IF;
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
        SELECT is_kept AND coalesce((SELECT b.history_kept FROM storage_base b WHERE b.id = n.base_id), true) AS kept OFFSET 0
    ) k
    WHERE o.revision <> n.revision;
    RETURN NULL;
END $$;
"""
# First whether a value of an index changed at all; then which entries go and come.
INDEXING = """
CREATE OR REPLACE FUNCTION storage_index_changed_items() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n JOIN old_rows o ON o.base_id = n.base_id AND o.key = n.key
        CROSS JOIN LATERAL (SELECT path FROM storage_attributeindex WHERE base_id = n.base_id OFFSET 0) x
        WHERE storage_attribute(o.value, x.path) IS DISTINCT FROM storage_attribute(n.value, x.path)
    ) THEN
        WITH changed AS MATERIALIZED (
            SELECT x.id, n.key, v.before, v.after
            FROM new_rows n JOIN old_rows o ON o.base_id = n.base_id AND o.key = n.key
            CROSS JOIN LATERAL (SELECT id, path FROM storage_attributeindex WHERE base_id = n.base_id OFFSET 0) x
            CROSS JOIN LATERAL (
                SELECT storage_attribute(o.value, x.path) AS before, storage_attribute(n.value, x.path) AS after OFFSET 0
            ) v
            WHERE v.before IS DISTINCT FROM v.after AND (
                storage_entry_kind(v.before) <> storage_entry_kind(v.after)
                OR storage_entry_number(v.before) <> storage_entry_number(v.after)
                OR storage_entry_text(v.before) <> storage_entry_text(v.after))
        ), gone AS (
            DELETE FROM storage_attributeentry WHERE ctid = ANY (ARRAY(SELECT (
                SELECT e.ctid FROM storage_attributeentry e
                WHERE e.index_id = c.id AND e.kind = storage_entry_kind(c.before)
                AND e.number = storage_entry_number(c.before) AND e.text = storage_entry_text(c.before) AND e.key = c.key
            ) FROM changed c))
        )
        INSERT INTO storage_attributeentry (index_id, kind, number, text, key)
        SELECT c.id, storage_entry_kind(c.after), storage_entry_number(c.after), storage_entry_text(c.after), c.key
        FROM changed c
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("storage", "0021_snapshot_copies")]

    # Code from before them works with these functions as well, so nothing is undone.
    operations = [migrations.RunSQL([NOTING, INDEXING], migrations.RunSQL.noop)]
