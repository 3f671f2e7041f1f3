"""What the commands for a collection's data call, below `/cli/`."""

from django.urls import path, re_path

from console.base import saves
from console.cli_api import bases, data, drives, events, imports, keys
from console.cli_api.gate import for_person

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_COLLECTION = "collections/<collection_id>"
_BASE = f"{_COLLECTION}/bases/<name>"
_IMPORT = f"{_BASE}/imports/<uuid:import_id>"
_DRIVE = f"{_COLLECTION}/drives/<name>"

urlpatterns = [
    re_path(r"^v1/(?P<collection_id>[^/]+)/(?P<path>[\s\S]*)\Z", for_person(**dict.fromkeys(_METHODS, data.answer))),
    path(f"{_COLLECTION}/bases", for_person(GET=bases.list_all)),
    path(f"{_BASE}/query", for_person(POST=bases.query)),
    path(f"{_BASE}/exports", for_person(POST=bases.begin_export)),
    path(f"{_BASE}/imports", for_person(POST=imports.start)),
    path(_IMPORT, for_person(GET=imports.show, DELETE=imports.delete)),
    path(f"{_IMPORT}/parts", for_person(PUT=imports.add_part)),
    path(f"{_IMPORT}/run", for_person(POST=imports.run)),
    path(f"{_BASE}/saves", for_person(POST=saves.save)),
    path(f"{_COLLECTION}/drives", for_person(GET=drives.list_all, POST=drives.create)),
    path(f"{_DRIVE}/files", for_person(GET=drives.list_files)),
    path(f"{_DRIVE}/uploads", for_person(POST=drives.start_upload)),
    path(f"{_DRIVE}/uploads/<upload_id>/parts/<int:number>", for_person(PUT=drives.put_part)),
    path(f"{_DRIVE}/uploads/<upload_id>/end", for_person(POST=drives.end_upload)),
    path(f"{_COLLECTION}/keys", for_person(GET=keys.list_all, POST=keys.create)),
    path(f"{_COLLECTION}/keys/<int:key_id>/revoke", for_person(POST=keys.revoke)),
    path(f"{_COLLECTION}/events", for_person(GET=events.list_some)),
]
