"""The table of contents of what the `deta` command calls. Every line names its methods; no path ends in a slash."""

from django.urls import path, re_path

from console.cli_api import about, collections
from console.cli_api.gate import for_anybody, for_person

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

urlpatterns = [
    path("", for_anybody(GET=about.show)),
    path("collections", for_person(GET=collections.list_all)),
    re_path("", for_anybody(**dict.fromkeys(_METHODS, about.unknown_path))),
]
