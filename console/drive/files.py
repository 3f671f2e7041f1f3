"""One file of a Drive: its bytes, its preview, and the lines that fetch it.

A file goes out to be stored, under its own name. Only what the allow-list of `content_sniffing.py` knows is shown in the page,
under the type that its bytes have; and whatever it is, it may run nothing, load nothing and be framed by this console alone.
"""

import json
import shlex
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from console.connect.addresses import addresses_for
from console.downloads import describe_disposition, send_file
from console.drive import uploads
from console.drive.content_sniffing import DisplayPolicy
from console.drive.context import DriveContext, open_drive
from console.drive.display_policies import display_policy_of
from console.drive.previews import Preview, make_preview
from console.json_views import answers_json, json_response
from console.page import PageRequest
from storage.drive import files as storage_files
from storage.drive import folders
from storage.drive.files import StoredFile
from storage.errors import FileNotFound, InvalidInput
from storage.postgres.database import release_connection

# Styles of an SVG are its own, and the documents that browsers build around media have inline ones.
_POLICY = (
    "sandbox; default-src 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'"
)
# The browser's own viewer starts in spite of the sandbox, and would run scripts: `pdfs.py` lets no PDF with one through.
_PDF_POLICY = f"{_POLICY}; object-src 'self'"


@require_http_methods(["GET", "HEAD", "PUT"])
@xframe_options_sameorigin
@answers_json
def file(request: PageRequest, collection_id: str, drive: str) -> HttpResponseBase:
    """GET: the bytes of `?name=`, to be stored, or with `?inline=1` to be shown if that is safe. PUT: a small file."""
    if request.method == "PUT":
        return uploads.put_whole(request, collection_id, drive)
    at = open_drive(request, collection_id, drive)
    name = request.GET.get("name", "")
    found = _find(at, name)
    content_type, headers = _disposition(request, found, name)
    release_connection()
    return send_file(request, found, content_type=content_type, headers=headers)


@require_safe
@answers_json
def preview(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """What is shown of `?name=`, as a part of the page."""
    at = open_drive(request, collection_id, drive)
    context = {"granted": at.granted, "drive": drive, "preview": find_preview(at, request.GET.get("name", ""))}
    return render(request, "drive/_preview.html", context)


@require_safe
@answers_json
def copy(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """Lines that fetch `?name=` from the API, for each client; the data key comes from the environment."""
    at = open_drive(request, collection_id, drive)
    name = request.GET.get("name", "")
    _find(at, name)
    label = folders.label_of(name)
    url = f"{addresses_for(request).origin}/v1/{collection_id}/{drive}/files/download?name={quote(name, safe='')}"
    output = shlex.quote(f"./{label}")
    return json_response(
        {
            "curl": f'curl -f -H "X-API-Key: $DETA_PROJECT_KEY" {shlex.quote(url)} -o {output}',
            "python": (
                "import os\nfrom deta import Deta\n"
                f'drive = Deta(os.environ["DETA_PROJECT_KEY"]).Drive({_quoted(drive)})\n'
                f"content = drive.get({_quoted(name)}).read()"
            ),
            "javascript": (
                'import { Deta } from "deta"\n'
                f"const drive = Deta(process.env.DETA_PROJECT_KEY).Drive({_quoted(drive)})\n"
                f"const content = await drive.get({_quoted(name)})"
            ),
        }
    )


def find_preview(at: DriveContext, name: str) -> Preview:
    """Raises Http404, EngineUnreachable and BlobMissing."""
    return make_preview(drive_id=at.id, name=name, file=_find(at, name))


def _find(at: DriveContext, name: str) -> StoredFile:
    try:
        return storage_files.get_file(access=at.access, drive=at.name, name=name)
    except (FileNotFound, InvalidInput) as error:
        raise Http404(error.messages[0]) from None


def _disposition(request: HttpRequest, found: StoredFile, name: str) -> tuple[str, dict[str, str]]:
    """The content type and the headers that say what a browser may do with the file."""
    policy = display_policy_of(found, name) if request.GET.get("inline") else None
    inline_type = policy.inline_type if policy else ""
    headers = {
        "Content-Disposition": describe_disposition(folders.label_of(name), stores=not _may_be_shown(request, policy)),
        "Content-Security-Policy": _PDF_POLICY if inline_type == "application/pdf" else _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "Vary": "Sec-Fetch-Dest",
    }
    return inline_type or "application/octet-stream", headers


def _may_be_shown(request: HttpRequest, policy: DisplayPolicy | None) -> bool:
    """Whether a browser that goes to this address shows the file, and does not store it.

    An SVG is a document of its own then, and is stored; an `<img>` shows it all the same, and runs nothing of it. A PDF is
    shown in a frame of the page, but not by itself: what its viewer runs must not look like this server's own doing.
    """
    if policy is None or not policy.inline_type or policy.kind == "svg":
        return False
    return not (policy.kind == "pdf" and request.headers.get("Sec-Fetch-Dest") == "document")


def _quoted(text: str) -> str:
    """A string literal of Python and JavaScript alike: both read JSON's."""
    return json.dumps(text)
