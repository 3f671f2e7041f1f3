"""Indexes of attributes that are asked for by range, prefix or order: one table of entries for all of them.

An index of PostgreSQL's own for each would be planned with every statement on any item. The database keeps the entries
itself, as it notes every change of an item, so that no writer can forget to; `docs/decisions/attribute-indexes.md` has the
reasons and the price.

An entry has a value's kind in the order in which values of several types are sorted, and the value: numbers whole, booleans as
numbers, of strings the beginning. Lists and objects have only their kind, and so have items without the attribute.
"""

import django.db.models.functions
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

ENTRIES = """
CREATE TABLE storage_attributeentry (
    index_id integer NOT NULL,
    kind smallint NOT NULL,
    number numeric NOT NULL,
    text text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    PRIMARY KEY (index_id, kind, number, text, key)
);
"""
# `#>` would take a number for the place in a list, which no query means.
VALUES = """
CREATE FUNCTION storage_attribute_deep(value jsonb, path text[]) RETURNS jsonb IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    found jsonb := value;
    step text;
BEGIN
    FOREACH step IN ARRAY path LOOP
        found := found -> step;
    END LOOP;
    RETURN found;
END $$;
CREATE FUNCTION storage_attribute(value jsonb, path text[]) RETURNS jsonb IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE cardinality(path)
    WHEN 1 THEN value -> path[1]
    WHEN 2 THEN value -> path[1] -> path[2]
    ELSE storage_attribute_deep(value, path) END;
CREATE FUNCTION storage_entry_kind(value jsonb) RETURNS smallint IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE jsonb_typeof(value) WHEN 'null' THEN 0 WHEN 'string' THEN 1 WHEN 'number' THEN 2 WHEN 'boolean' THEN 3
    WHEN 'array' THEN 4 WHEN 'object' THEN 5 ELSE 9 END::smallint;
CREATE FUNCTION storage_entry_number(value jsonb) RETURNS numeric IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE jsonb_typeof(value) WHEN 'number' THEN value::numeric WHEN 'boolean' THEN value::boolean::int::numeric ELSE 0 END;
CREATE FUNCTION storage_entry_text(value jsonb) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN CASE jsonb_typeof(value) WHEN 'string' THEN left(value #>> '{}', 300) ELSE '' END;
"""
# Indexes and entries are looked up one by one: PostgreSQL plans without values, and would join whole tables to what has changed.
KEEPING = """
CREATE FUNCTION storage_index_new_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n
        CROSS JOIN LATERAL (SELECT FROM storage_attributeindex WHERE base_id = n.base_id LIMIT 1) x
    ) THEN
        INSERT INTO storage_attributeentry (index_id, kind, number, text, key)
        SELECT x.id, storage_entry_kind(v.value), storage_entry_number(v.value), storage_entry_text(v.value), n.key
        FROM new_rows n
        CROSS JOIN LATERAL (SELECT id, path FROM storage_attributeindex WHERE base_id = n.base_id OFFSET 0) x
        CROSS JOIN LATERAL (SELECT storage_attribute(n.value, x.path) AS value OFFSET 0) v
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION storage_index_changed_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n
        CROSS JOIN LATERAL (SELECT FROM storage_attributeindex WHERE base_id = n.base_id LIMIT 1) x
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
CREATE FUNCTION storage_index_deleted_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM old_rows o
        CROSS JOIN LATERAL (SELECT FROM storage_attributeindex WHERE base_id = o.base_id LIMIT 1) x
    ) THEN
        DELETE FROM storage_attributeentry WHERE ctid = ANY (ARRAY(SELECT (
            SELECT e.ctid FROM storage_attributeentry e
            WHERE e.index_id = c.id AND e.kind = storage_entry_kind(c.before)
            AND e.number = storage_entry_number(c.before) AND e.text = storage_entry_text(c.before) AND e.key = c.key
        ) FROM (
            SELECT x.id, o.key, storage_attribute(o.value, x.path) AS before
            FROM old_rows o
            CROSS JOIN LATERAL (SELECT id, path FROM storage_attributeindex WHERE base_id = o.base_id OFFSET 0) x
            OFFSET 0
        ) c));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER index_new_items AFTER INSERT ON storage_item
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage_index_new_items();
CREATE TRIGGER index_changed_items AFTER UPDATE ON storage_item
    REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage_index_changed_items();
CREATE TRIGGER index_deleted_items AFTER DELETE ON storage_item
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage_index_deleted_items();
"""
UNDO = """
DROP TRIGGER index_new_items ON storage_item;
DROP TRIGGER index_changed_items ON storage_item;
DROP TRIGGER index_deleted_items ON storage_item;
DROP FUNCTION storage_index_new_items, storage_index_changed_items, storage_index_deleted_items;
DROP FUNCTION storage_attribute, storage_attribute_deep, storage_entry_kind, storage_entry_number, storage_entry_text;
DROP TABLE storage_attributeentry;
"""


class Migration(migrations.Migration):
    dependencies = [("storage", "0016_history")]

    operations = [
        migrations.CreateModel(
            name="AttributeIndex",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("base_id", models.BigIntegerField(null=True)),
                ("path", ArrayField(models.TextField())),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("building", "Building"),
                            ("ready", "Ready"),
                            ("dropped", "Dropped"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.Now())),
                ("used_at", models.DateTimeField(db_default=django.db.models.functions.Now())),
                ("wait_for", models.BigIntegerField(null=True)),
                ("built_to", models.TextField(db_collation="C", null=True)),
                ("entries", models.BigIntegerField(default=0)),
                ("expected", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["base_id", "path"], name="attribute_index_unique")]
            },
        ),
        migrations.CreateModel(
            name="AttributeAsk",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "base_id", "path", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("base_id", models.BigIntegerField()),
                ("path", ArrayField(models.TextField())),
                ("times", models.IntegerField()),
                ("asked_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL([ENTRIES, VALUES, KEEPING], UNDO),
    ]
