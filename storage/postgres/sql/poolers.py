"""What a session is asked to find out who it is, and told on behalf of all others of its role."""

from psycopg import sql

SESSION = b"SELECT pg_backend_pid()"
IDENTITY = b"SELECT oid, datname, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()"
TRIED = b"SELECT 1"
# Compared as PostgreSQL writes it: 4500 is 4500ms, and 60000 is 1min.
IS_SET = b"""
    SELECT current_setting(%s) = %s OR EXISTS (
        SELECT FROM pg_settings WHERE name = %s AND setting = %s
    )
"""
SET_ON_ROLE = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {database} SET {name} = {value}")
