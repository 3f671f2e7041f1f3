"""The Drive half of the public API (contract: section "Drive"): whole files and listings. Parts are in uploads.py."""

from console.api.bodies import read_file_body, read_json_object
from console.api.endpoint import Call, endpoint, reads, writes
from console.api.query_strings import is_form_encoded, means_spaces, read_query
from console.api.replies import Reply, Response, json_reply
from console.api.request import ApiRequest
from console.downloads import send_file
from storage import jobs, limits
from storage.drive import files as storage_files
from storage.errors import BodyTooLarge, FileNotFound, InvalidInput
from storage.numbers import read_number


def put_file(call: Call, request: ApiRequest) -> Reply:
    name = read_file_name(request)
    body = read_file_body(request)
    try:
        body.check_size()
    except BodyTooLarge:
        storage_files.check_access(access=call.access, name=call.name, write=True)
        raise
    storage_files.put_file(access=call.access, drive=call.name, name=name, content=body)
    return json_reply(describe(call, name), status=201)


def list_files(call: Call, request: ApiRequest) -> Reply:
    raw = frozenset() if is_form_encoded(request) else frozenset({"prefix", "last"})
    query = read_query(request.META["QUERY_STRING"], raw=raw)
    page = _find_page(call, query)
    if not page.names and "+" in query.get("prefix", "") and raw:
        page = _find_page(call, read_query(request.META["QUERY_STRING"], raw=raw, other_plus=True))
    paging = {} if page.last is None else {"paging": {"size": len(page.names), "last": page.last}}
    return json_reply(paging | {"names": page.names})


def delete_files(call: Call, request: ApiRequest) -> Reply:
    given = read_json_object(request).get("names")
    if not isinstance(given, list):
        raise InvalidInput("Bad names", "`names` is not a list")
    result = storage_files.delete_files(access=call.access, drive=call.name, names_given=given)
    jobs.make_room_if_short()
    return json_reply({"deleted": result.deleted} | ({"failed": result.failed} if result.failed else {}))


def download_file(call: Call, request: ApiRequest) -> Response:
    name = read_file_name(request)
    try:
        file = storage_files.get_file(access=call.access, drive=call.name, name=name)
    except FileNotFound:
        other = read_file_name(request, other_plus=True)
        if other == name or means_spaces(request):
            raise
        file = storage_files.get_file(access=call.access, drive=call.name, name=other)
    return send_file(request, file)


def read_file_name(request: ApiRequest, *, other_plus: bool = False) -> str:
    """The file's name in the query string. Whether it is a legal one is for storage to say."""
    name = read_query(request.META["QUERY_STRING"], other_plus=other_plus).get("name")
    if name is None:
        raise InvalidInput("Bad file name", "`name` is missing in the query string")
    return name


def describe(call: Call, name: str, **more: object) -> dict[str, object]:
    """What every write of a file answers."""
    return {"name": name, **more, "project_id": call.access.collection_id, "drive_name": call.name}


def _find_page(call: Call, query: dict[str, str]) -> storage_files.Page:
    return storage_files.list_files(
        access=call.access,
        drive=call.name,
        limit=_limit(query.get("limit")),
        prefix=query.get("prefix", ""),
        last=query.get("last", ""),
        recursive=_recursive(query.get("recursive", "true")),
    )


def _limit(text: str | None) -> int:
    if text is None:
        return limits.NAMES_PER_LIST
    limit = read_number(text)
    if not limit:
        raise InvalidInput("Bad limit", "`limit` is not a whole number from 1 on")
    return min(limit, limits.NAMES_PER_LIST)


def _recursive(text: str) -> bool:
    if text.lower() not in ("", "true", "false"):
        raise InvalidInput("Bad recursive", '`recursive` is neither "true" nor "false"')
    return text.lower() != "false"


collection = endpoint(
    storage_files.check_access, POST=writes(put_file), GET=reads(list_files), DELETE=writes(delete_files)
)
download = endpoint(storage_files.check_access, GET=reads(download_file))
