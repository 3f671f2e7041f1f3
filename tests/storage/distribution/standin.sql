-- Functions under the names that Citus has, for tests on plain PostgreSQL: Citus is on no package index. They note what they are
-- asked, and do what of Citus can be seen from here: tables are known to it, sequences begin anew, triggers are in the way.
CREATE TABLE pg_dist_partition (logicalrelid oid PRIMARY KEY, partmethod "char" NOT NULL, repmodel "char" NOT NULL);
CREATE TABLE pg_dist_node (groupid integer NOT NULL);
INSERT INTO pg_dist_node VALUES (0), (1), (2);
CREATE TABLE standin_asked (id bigint GENERATED ALWAYS AS IDENTITY, name text NOT NULL, about text NOT NULL);
CREATE TABLE standin_breaks (at bigint NOT NULL);
-- A step counts although its transaction is taken back.
CREATE SEQUENCE standin_steps;

CREATE FUNCTION standin_note(name text, about text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    step bigint := nextval('standin_steps');
BEGIN
    INSERT INTO standin_asked (name, about) VALUES (name, about);
    IF step IN (SELECT at FROM standin_breaks) THEN
        RAISE EXCEPTION '% is not supported', name USING ERRCODE = 'feature_not_supported';
    END IF;
END $$;

CREATE FUNCTION standin_renumber(of_table regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    sequence text;
BEGIN
    SELECT pg_get_serial_sequence(of_table::text, attname) INTO sequence FROM pg_attribute
    WHERE attrelid = of_table AND attnum > 0 AND NOT attisdropped AND pg_get_serial_sequence(of_table::text, attname) IS NOT NULL;
    IF sequence IS NOT NULL THEN PERFORM setval(sequence, 1, false); END IF;
END $$;

CREATE FUNCTION standin_joined(of_table regclass) RETURNS SETOF oid LANGUAGE sql AS $$
    WITH RECURSIVE joined AS (
        SELECT of_table::oid AS id
        UNION SELECT CASE WHEN k.conrelid = j.id THEN k.confrelid ELSE k.conrelid END
        FROM joined j JOIN pg_constraint k ON k.contype = 'f' AND j.id IN (k.conrelid, k.confrelid)
    ) SELECT id FROM joined
$$;

CREATE FUNCTION standin_know(of_table regclass, partmethod "char", repmodel "char") RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = of_table AND NOT tgisinternal) THEN
        RAISE EXCEPTION 'cannot distribute % because it has triggers', of_table USING ERRCODE = 'feature_not_supported';
    END IF;
    INSERT INTO pg_dist_partition VALUES (of_table, partmethod, repmodel)
    ON CONFLICT (logicalrelid) DO UPDATE SET partmethod = excluded.partmethod, repmodel = excluded.repmodel;
    PERFORM standin_renumber(of_table);
END $$;

CREATE FUNCTION citus_version() RETURNS text LANGUAGE sql AS $$ SELECT 'Citus 15.0.0 on x86_64-pc-linux-gnu' $$;
CREATE FUNCTION citus_get_active_worker_nodes() RETURNS TABLE (node_name text, node_port bigint) LANGUAGE sql AS $$
    SELECT 'worker', 5432::bigint FROM pg_dist_node WHERE groupid > 0
$$;
CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM standin_note('create_reference_table', table_name::text);
    PERFORM standin_know(table_name, 'n', 't');
END $$;
CREATE FUNCTION citus_add_local_table_to_metadata(table_name regclass, cascade_via_foreign_keys boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM standin_note('citus_add_local_table_to_metadata', table_name::text);
    PERFORM standin_know(id::regclass, 'n', 's') FROM standin_joined(table_name) AS id
    WHERE cascade_via_foreign_keys AND id NOT IN (SELECT logicalrelid FROM pg_dist_partition) OR id = table_name;
END $$;
CREATE FUNCTION create_distributed_function(function_name regprocedure) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM standin_note('create_distributed_function', function_name::text);
END $$;
CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default'
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM standin_note('create_distributed_table', table_name || ' ' || distribution_column);
    PERFORM standin_know(table_name, 'h', 's');
END $$;
CREATE FUNCTION truncate_local_data_after_distributing_table(function_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM standin_note('truncate_local_data_after_distributing_table', function_name::text);
END $$;
CREATE FUNCTION undistribute_table(table_name regclass, cascade_via_foreign_keys boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    joined regclass;
    trigger_name text;
BEGIN
    PERFORM standin_note('undistribute_table', table_name::text);
    FOR joined IN SELECT id::regclass FROM standin_joined(table_name) AS id WHERE cascade_via_foreign_keys OR id = table_name LOOP
        DELETE FROM pg_dist_partition WHERE logicalrelid = joined;
        PERFORM standin_renumber(joined);
        FOR trigger_name IN SELECT tgname FROM pg_trigger WHERE tgrelid = joined AND NOT tgisinternal LOOP
            EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, joined);
        END LOOP;
    END LOOP;
END $$;
