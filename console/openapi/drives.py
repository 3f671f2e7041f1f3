"""The operations on files of a Drive."""

from typing import Any

from console.openapi.answers import Json, answer, empty
from console.openapi.operations import Operation, json_body
from storage import limits

_FILES = "/{collection_id}/{name}/files"
_UPLOADS = "/{collection_id}/{name}/uploads"
_UPLOAD = f"{_UPLOADS}/{{upload_id}}"
_STORED = {"name": "photos/ada.png", "project_id": "a0b1c2d3e4", "drive_name": "people"}
_OPEN = _STORED | {"upload_id": "0f3a5c7e9b1d4f6a8c0e2b4d6f8a0c1e"}
_ABOUT_FILE = ("ETag", "Last-Modified", "Accept-Ranges")


def _bytes(description: str, *, most: int | None = None) -> Json:
    schema: dict[str, Any] = {"type": "string", "format": "binary"}
    if most is not None:
        schema["maxLength"] = most
    return {"description": description, "content": {"application/octet-stream": {"schema": schema}}}


def _file(description: str, *headers: str) -> Json:
    content = {"schema": {"type": "string", "format": "binary"}}
    # Of whatever type the file has. Generators of clients want to be told of one.
    contents = {"content": {"application/octet-stream": content, "*/*": content}}
    return empty(description, headers=("Content-Length", *headers, *_ABOUT_FILE)) | contents


_CONTENT = f"Of any content type. At most {limits.FILE_BODY_MAX_BYTES:,} bytes."

OPERATIONS = (
    Operation(
        id="putFile",
        method="post",
        path=_FILES,
        tag="Files",
        summary="Store or replace a file",
        description="The body is the file. Its content type is the request's `Content-Type`, else guessed from the name, else "
        "`application/octet-stream`. Readers see the old file or the new one, whole.",
        parameters=("FileName",),
        body=_bytes(_CONTENT, most=limits.FILE_BODY_MAX_BYTES),
        answers={201: answer("The file is stored.", "StoredFile", _STORED, links=("downloadStoredFile",))},
        errors=("BadFile", "TooLarge"),
        writes=True,
    ),
    Operation(
        id="listFiles",
        method="get",
        path=_FILES,
        tag="Files",
        summary="List the names of files",
        description="In the order of their bytes.",
        parameters=("NamesLimit", "Prefix", "NamesLast", "Recursive"),
        answers={
            200: answer(
                "A page of names.",
                "FileNames",
                {"paging": {"size": 1, "last": "photos/ada.png"}, "names": ["photos/ada.png"]},
            )
        },
    ),
    Operation(
        id="deleteFiles",
        method="delete",
        path=_FILES,
        tag="Files",
        summary="Delete files",
        description=f"1 to {limits.NAMES_PER_DELETE:,} names. An invalid name among valid ones fails by itself.",
        body=json_body("DeleteFiles", {"Two files": {"names": ["photos/ada.png", "photos/old.png"]}}),
        answers={
            200: answer(
                "The files are gone, but for those under `failed`.",
                "DeletedFiles",
                {"deleted": ["photos/ada.png", "photos/old.png"]},
            )
        },
        writes=True,
    ),
    Operation(
        id="downloadFile",
        method="get",
        path=f"{_FILES}/download",
        tag="Files",
        summary="Get a file",
        description="The bytes, with the content type that the file was stored with. Every answer says "
        "`X-Content-Type-Options: nosniff` and `Content-Security-Policy: sandbox`.",
        parameters=("FileName", "Range", "IfRange", "IfNoneMatch"),
        answers={
            200: _file("The whole file."),
            206: _file("The range that was asked for.", "Content-Range"),
            304: empty("The file is the one that you have.", headers=_ABOUT_FILE),
        },
        errors=("BadFile", "FileNotFound", "RangeNotSatisfiable"),
    ),
    Operation(
        id="startUpload",
        method="post",
        path=_UPLOADS,
        tag="Uploads in parts",
        summary="Start a file that is sent in parts",
        description="Readers see nothing of it until it ends. `Content-Type` may carry the file's type, and so may that of a "
        f"part. An upload that nobody touches for {limits.UPLOAD_KEPT_SECONDS // 3_600} hours is forgotten.",
        parameters=("FileName",),
        answers={
            202: answer(
                "The upload is open.",
                "Upload",
                _OPEN,
                links=("sendPartOfUpload", "endStartedUpload", "abortStartedUpload"),
            )
        },
        errors=("BadFile", "EncodedBody"),
        writes=True,
    ),
    Operation(
        id="sendPart",
        method="post",
        path=f"{_UPLOAD}/parts",
        tag="Uploads in parts",
        summary="Send a part",
        description="Parts may come in any order and at the same time; one that is sent again is replaced. Every one but the "
        f"last has at least {limits.PART_MIN_BYTES:,} bytes.",
        parameters=("FileName", "Part"),
        body=_bytes(_CONTENT, most=limits.FILE_BODY_MAX_BYTES),
        answers={200: answer("The part is here.", "StoredPart", _OPEN | {"part": 1})},
        errors=("BadUpload", "UploadNotFound", "TooLarge"),
        writes=True,
    ),
    Operation(
        id="endUpload",
        method="patch",
        path=_UPLOAD,
        tag="Uploads in parts",
        summary="End an upload",
        description="The file is there then. A gap in the numbers, or a part that is too small and not the last: 400, and the "
        "upload stays open. Ending it again answers the same. Without any part it is an empty file.",
        parameters=("FileName",),
        answers={200: answer("The file is stored.", "Upload", _OPEN)},
        errors=("BadUpload", "UploadNotFound"),
        writes=True,
    ),
    Operation(
        id="abortUpload",
        method="delete",
        path=_UPLOAD,
        tag="Uploads in parts",
        summary="Give an upload up",
        description="What readers see stays as it was.",
        parameters=("FileName",),
        answers={200: answer("The upload is gone.", "Upload", _OPEN)},
        errors=("BadUpload", "UploadNotFound"),
        writes=True,
    ),
)
