-- Run once, by Patroni, on the new database, where it has made its own roles. These two are no superusers.
CREATE ROLE homeport LOGIN PASSWORD '$homeport_password';
CREATE DATABASE homeport OWNER homeport;
-- pgbouncer does not pass on what a client asks for as it connects, so the role has it.
ALTER ROLE homeport SET statement_timeout = 4500;
ALTER ROLE homeport SET timezone = 'UTC';
ALTER ROLE homeport SET plan_cache_mode = force_generic_plan;
ALTER ROLE homeport SET enable_seqscan = off;

-- SeaweedFS keeps here which object is where.
CREATE ROLE seaweedfs LOGIN PASSWORD '$seaweedfs_password';
CREATE DATABASE seaweedfs OWNER seaweedfs;
