"""The Drive half of the public API (contract: section "Drive"): files sent in parts."""

from console.api.bodies import read_content_type, read_file_body
from console.api.endpoint import Call, endpoint, writes
from console.api.files import describe, read_file_name
from console.api.query_strings import read_query
from console.api.replies import Reply, json_reply
from console.api.request import ApiRequest
from console.streams import refuse_encoded
from storage import jobs, limits
from storage.drive import files as storage_files
from storage.drive import uploads as storage_uploads
from storage.errors import BodyTooLarge, InvalidInput
from storage.numbers import read_number


def start_upload(call: Call, request: ApiRequest) -> Reply:
    refuse_encoded(request.META)
    name = read_file_name(request)
    upload_id = storage_uploads.start_upload(
        access=call.access, drive=call.name, name=name, content_type=read_content_type(request)
    )
    return json_reply(describe(call, name, upload_id=upload_id), status=202)


def put_part(call: Call, request: ApiRequest) -> Reply:
    name, number = read_file_name(request), _read_part(request)
    body = read_file_body(request)
    try:
        body.check_size()
    except BodyTooLarge:
        storage_files.check_access(access=call.access, name=call.name, write=True)
        raise
    storage_uploads.put_part(
        access=call.access, drive=call.name, upload_id=call.key, name=name, number=number, content=body
    )
    return json_reply(describe(call, name, upload_id=call.key, part=number))


def end_upload(call: Call, request: ApiRequest) -> Reply:
    name = read_file_name(request)
    storage_uploads.end_upload(access=call.access, drive=call.name, upload_id=call.key, name=name)
    return json_reply(describe(call, name, upload_id=call.key))


def abort_upload(call: Call, request: ApiRequest) -> Reply:
    name = read_file_name(request)
    storage_uploads.abort_upload(access=call.access, drive=call.name, upload_id=call.key, name=name)
    jobs.make_room_if_short()
    return json_reply(describe(call, name, upload_id=call.key))


def _read_part(request: ApiRequest) -> int:
    text = read_query(request.META["QUERY_STRING"]).get("part", "")
    number = read_number(text)
    if number is None or text.startswith("0") or len(text) > 5:
        raise InvalidInput("Bad part", f"`part` is not a whole number from 1 to {limits.PARTS_MAX}")
    return number


collection = endpoint(storage_files.check_access, POST=writes(start_upload))
member = endpoint(storage_files.check_access, PATCH=writes(end_upload), DELETE=writes(abort_upload))
parts = endpoint(storage_files.check_access, POST=writes(put_part))
