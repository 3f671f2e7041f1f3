"""The table of contents of what the `deta` command calls. Every line names its methods; no path ends in a slash."""

from django.urls import path, re_path

from console.cli_api import about, collections, pages, sign_in
from console.cli_api.gate import for_anybody, for_person

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

urlpatterns = [
    path("", for_anybody(GET=about.show)),
    path("sign-ins", for_anybody(POST=sign_in.start)),
    path("sign-ins/<uuid:sign_in_id>/token", for_anybody(POST=sign_in.collect)),
    path("token", for_person(DELETE=sign_in.give_back)),
    path("collections", for_person(GET=collections.list_all)),
    path("collections/<collection_id>/page", for_person(GET=pages.find)),
    re_path("", for_anybody(**dict.fromkeys(_METHODS, about.unknown_path))),
]
