"""The table of contents of what the `deta` command calls. Every line names its methods; no path ends in a slash."""

from django.urls import include, path, re_path

from console.cli_api import (
    about,
    api_keys,
    collections,
    deployments,
    dev_keys,
    logs,
    micros,
    pages,
    runs,
    schedules,
    sign_in,
)
from console.cli_api.gate import for_anybody, for_person

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_MICRO = "collections/<collection_id>/micros/<micro_id>"

urlpatterns = [
    path("", for_anybody(GET=about.show)),
    path("sign-ins", for_anybody(POST=sign_in.start)),
    path("sign-ins/<uuid:sign_in_id>/token", for_anybody(POST=sign_in.collect)),
    path("token", for_person(DELETE=sign_in.give_back)),
    path("collections", for_person(GET=collections.list_all, POST=collections.create)),
    path("collections/<collection_id>/page", for_person(GET=pages.find)),
    path("collections/<collection_id>/micros", for_person(GET=micros.list_all, POST=micros.create)),
    path(_MICRO, for_person(GET=micros.show, PATCH=micros.change)),
    path(f"{_MICRO}/variables", for_person(PUT=micros.replace_variables)),
    path(f"{_MICRO}/bundle", for_person(GET=deployments.download, PUT=deployments.send_bundle)),
    path(f"{_MICRO}/deployments", for_person(GET=deployments.list_all)),
    path(f"{_MICRO}/deployments/<uuid:deployment_id>", for_person(GET=deployments.show)),
    path(f"{_MICRO}/logs", for_person(GET=logs.list_lines)),
    path(f"{_MICRO}/keys", for_person(GET=api_keys.list_all, POST=api_keys.create, DELETE=api_keys.revoke)),
    path(f"{_MICRO}/schedule", for_person(GET=schedules.show, PUT=schedules.change, DELETE=schedules.remove)),
    path(f"{_MICRO}/runs", for_person(GET=runs.list_all, POST=runs.create)),
    path(f"{_MICRO}/runs/<uuid:run_id>", for_person(GET=runs.show)),
    path(f"{_MICRO}/runs/<uuid:run_id>/cancel", for_person(POST=runs.cancel)),
    path("collections/<collection_id>/dev-keys", for_person(GET=dev_keys.show, POST=dev_keys.create)),
    path("collections/<collection_id>/dev-keys/<int:key_id>", for_person(DELETE=dev_keys.revoke)),
    path("", include("console.cli_api.data_urls")),
    re_path("", for_anybody(**dict.fromkeys(_METHODS, about.unknown_path))),
]
