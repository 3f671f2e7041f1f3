"""The API's way from a path to its view finds what Django's own resolver would find in the same table."""

import pytest
from django.urls import Resolver404
from django.urls.resolvers import RegexPattern, URLResolver

from console.api import successor
from console.api.routing import Routes
from console.api.urls import unknown_path, urlpatterns

_routes = Routes(urlpatterns)
_django = URLResolver(RegexPattern(r"^"), urlpatterns)

_ENDS = ["items", "query", "history", "changes", "files", "files/download", "uploads", "uploads/u", "uploads/u/parts"]
_BELOW_NONE = [
    "",
    "/",
    "c",
    "c/",
    "c/n",
    "c/n/",
    "c/n/unknown",
    "c//items",
    "/n/items",
    "//items",
    "openapi.json/",
    "c/openapi.json",
]
_ODD = [
    "c/n/items/",
    "c/n/items/k/with/slashes/",
    "c/n/items/line\nbreak\n",
    "c/n/items/items",
    "c/n/items\n",
    "c\n/n/items",
    "c/n/uploads/",
    "c/n/uploads/u/",
    "c/n/uploads/u/parts/",
    "c/n/uploads//parts",
    "c/n/uploads/parts/parts",
    "c/n/files/",
    "c/n/files/download/",
    "c/n/query/more",
    "c/n/o/items",
    "openapi.json",
    "OPENAPI.JSON",
]


@pytest.mark.parametrize("path", [*(f"c/n/{end}" for end in _ENDS), *_BELOW_NONE, *_ODD])
def test_a_path_has_the_view_and_the_arguments_that_django_finds(path: str) -> None:
    found = _django.resolve(path)
    assert _routes.find(path) == (found.func, found.kwargs)


@pytest.mark.parametrize("path", [f"c/n/{end}" for end in _ENDS])
def test_what_is_in_the_table_is_found(path: str) -> None:
    assert _routes.find(path)[0] is not unknown_path


def test_a_key_is_all_that_follows() -> None:
    found = _routes.find("c/n/items/a/b\n/")
    assert found == (successor.member, {"collection_id": "c", "name": "n", "key": "a/b\n/"})


def test_what_no_pattern_matches_is_for_the_last_one() -> None:
    with pytest.raises(Resolver404):
        URLResolver(RegexPattern(r"^"), urlpatterns[:-1]).resolve("c/n/other")
    assert _routes.find("c/n/other") == (unknown_path, {})
