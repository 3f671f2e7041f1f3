"""The bundled engines: PostgreSQL and SeaweedFS, started, watched and stopped by `manage.py serve`.

This package knows processes, ports and files. It leaves HTTP, Django and the meaning of the data to others, and imports neither.
"""
