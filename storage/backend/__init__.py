"""Django's PostgreSQL backend with connections from `storage/connections.py`; named in settings as ENGINE."""
