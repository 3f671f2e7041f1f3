"""The public API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html).

`document` puts it together: of operations, which are written by hand (`bases`, `feeds`, `drives`), of schemas whose numbers are
those of `storage/limits.py`, and of error answers made from the errors themselves and the one table of statuses (`answers`).
The API serves it, a page shows it, and neither is known here.
"""
