"""The table of contents of what the `deta` command calls. Every line names its methods; no path ends in a slash."""

from django.urls import path, re_path

from console.cli_api import about, collections, runs, schedules
from console.cli_api.gate import for_anybody, for_person

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

urlpatterns = [
    path("", for_anybody(GET=about.show)),
    path("collections", for_person(GET=collections.list_all)),
    path(
        "collections/<collection_id>/micros/<micro_id>/schedule",
        for_person(GET=schedules.show, PUT=schedules.change, DELETE=schedules.remove),
    ),
    path("collections/<collection_id>/micros/<micro_id>/runs", for_person(GET=runs.list_all, POST=runs.create)),
    path("collections/<collection_id>/micros/<micro_id>/runs/<uuid:run_id>", for_person(GET=runs.show)),
    re_path("", for_anybody(**dict.fromkeys(_METHODS, about.unknown_path))),
]
