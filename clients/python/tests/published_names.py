"""What the published client `deta` 1.1.0 and 1.2.0 offers to import, as facts: modules, names, signatures and defaults.

`FUNCTIONS` are called as they are, `CLASSES` by their `__init__`, `METHODS` with `self`. What differs between the two versions
stands as the later one has it, whose signatures take all that the earlier ones take.
"""

from typing import Any

VALUES: dict[str, dict[str, Any]] = {
    "deta.base": {"BASE_SERVICE_TIMEOUT": 300, "BASE_TTL_ATTTRIBUTE": "__expires", "JSON_MIME": "application/json"},
    "deta.drive": {"UPLOAD_CHUNK_SIZE": 10_485_760, "DRIVE_SERVICE_TIMEOUT": 300, "JSON_MIME": "application/json"},
    "deta.service": {"JSON_MIME": "application/json"},
    "deta._async.client": {"BASE_TTL_ATTTRIBUTE": "__expires"},
}

# Types for annotations, of which only the name counts.
TYPES = {
    "deta.base": ["_BASE_DATA_TYPE", "_UTIL_NUMERIC_VALUE_TYPE", "_UTIL_ITEM_VALUE_TYPE", "_SERVICE_RESPONSE_TYPE"],
    "deta.drive": ["_DRIVE_DATA_TYPE", "_SERVICE_RESPONSE_TYPE"],
    "deta.service": ["_SERVICE_DATA_TYPE", "_SERVICE_RESPONSE_TYPE"],
    "deta._async.client": ["_ASYNC_CLIENT_DATA_TYPE", "_ASYNC_CLIENT_RESPONSE_TYPE"],
}

FUNCTIONS = {
    "deta": {
        "Base": "name",
        "AsyncBase": "name",
        "Drive": "name",
        "send_email": "to, subject, message, charset='UTF-8'",
        "_get_project_key_id": "project_key=None, project_id=None",
    },
    "deta.base": {"insert_ttl": "item, ttl_attribute, expire_in=None, expire_at=None"},
    "deta.utils": {"_get_project_key_id": "project_key=None, project_id=None"},
    "deta._async.client": {
        "AsyncBase": "name",
        "insert_ttl": "item, ttl_attribute, expire_in=None, expire_at=None",
        "_get_project_key_id": "project_key=None, project_id=None",
    },
}

_SERVICE = "project_key, project_id, host, name, timeout, keep_alive=True"
_OF_A_PROJECT = "name, project_key, project_id, host=None"
_PAGE = "count=0, last=None, items=[]"

CLASSES = {
    "deta": {"Deta": "project_key=None, *, project_id=None", "_Base": _OF_A_PROJECT, "_Drive": _OF_A_PROJECT},
    "deta.base": {
        "_Base": _OF_A_PROJECT,
        "_Service": _SERVICE,
        "FetchResponse": _PAGE,
        "Util": "",
        "Util.Trim": "",
        "Util.Increment": "value=None",
        "Util.Append": "value",
        "Util.Prepend": "value",
    },
    "deta.drive": {"_Drive": _OF_A_PROJECT, "_Service": _SERVICE, "DriveStreamingBody": "res"},
    "deta.service": {"_Service": _SERVICE},
    "deta._async.client": {"_AsyncBase": _OF_A_PROJECT, "FetchResponse": _PAGE, "Util": ""},
}

_EXPIRY = "*, expire_in=None, expire_at=None"
_ITEMS = {
    "get": "key",
    "delete": "key",
    "insert": f"data, key=None, {_EXPIRY}",
    "put": f"data, key=None, {_EXPIRY}",
    "put_many": f"items, {_EXPIRY}",
    "update": f"updates, key, {_EXPIRY}",
}

METHODS = {
    "deta:Deta": {
        "Base": "name, host=None",
        "AsyncBase": "name, host=None",
        "Drive": "name, host=None",
        "send_email": "to, subject, message, charset='UTF-8'",
    },
    "deta.base:_Base": {
        **_ITEMS,
        "fetch": "query=None, *, limit=1000, last=None, desc=False",
        "_fetch": "query=None, buffer=None, last=None, desc=False",
        "_request": "path, method, data=None, headers=None, content_type=None, stream=False",
    },
    "deta._async.client:_AsyncBase": {**_ITEMS, "fetch": "query=None, *, limit=1000, last=None", "close": ""},
    "deta.base:Util": {"trim": "", "increment": "value=None", "append": "value", "prepend": "value"},
    "deta.drive:_Drive": {
        "get": "name",
        "put": "name, data=None, *, path=None, content_type=None",
        "list": "limit=1000, prefix=None, last=None",
        "delete": "name",
        "delete_many": "names",
        "_quote": "param",
        "_start_upload": "name",
        "_finish_upload": "name, upload_id",
        "_abort_upload": "name, upload_id",
        "_upload_part": "name, chunk, upload_id, part, content_type=None",
        "_get_content_stream": "data",
        "_request": "path, method, data=None, headers=None, content_type=None, stream=False",
    },
    "deta.drive:DriveStreamingBody": {
        "read": "size=None",
        "iter_chunks": "chunk_size=1024",
        "iter_lines": "chunk_size=1024",
        "close": "",
    },
}

ATTRIBUTES = {
    "Deta": ["project_key", "project_id"],
    "Base": ["project_key", "base_path", "host", "timeout", "keep_alive", "client", "util"],
    "Drive": ["project_key", "base_path", "host", "timeout", "keep_alive", "client"],
    "AsyncBase": ["util"],
}
