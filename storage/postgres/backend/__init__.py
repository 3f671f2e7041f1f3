"""Django's PostgreSQL backend with connections from `storage/postgres/connections.py`; named in settings as ENGINE."""
