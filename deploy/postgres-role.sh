#!/bin/sh
# Run once by PostgreSQL's image, when it makes its data folder: the role that Homeport signs in as is no superuser.
psql --set=ON_ERROR_STOP=1 --set=password="$HOMEPORT_PASSWORD" --username=postgres <<'SQL'
CREATE ROLE homeport LOGIN PASSWORD :'password';
CREATE DATABASE homeport OWNER homeport;
SQL
