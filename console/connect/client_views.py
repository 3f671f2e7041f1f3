"""The Python client for pip: the wheel, and an address that stays the same from one version to the next."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import condition, require_safe

from console.connect.python_client import Wheel, find_wheel


def _etag(request: HttpRequest, file_name: str) -> str | None:
    found = find_wheel()
    return f'"{found.sha256}"' if found and found.file_name == file_name else None


@login_not_required
@require_safe
@condition(etag_func=_etag)
def wheel(request: HttpRequest, file_name: str) -> HttpResponse:
    """The wheel under the one name that pip takes it by. Its bytes may change under that name, so caches ask again."""
    found = _wheel_or_404()
    if found.file_name != file_name:
        raise Http404(f"This server's Python client is {found.file_name}")
    response = HttpResponse(found.content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    patch_cache_control(response, public=True, no_cache=True)
    return response


@login_not_required
@require_safe
def python_requirements(request: HttpRequest) -> HttpResponse:
    """For `pip install -r`: where the wheel is now, and the hash that it must have."""
    found = _wheel_or_404()
    url = request.build_absolute_uri(reverse("client-wheel", args=[found.file_name]))
    response = HttpResponse(
        f"homeport-client @ {url}#sha256={found.sha256}\n", content_type="text/plain; charset=utf-8"
    )
    patch_cache_control(response, no_cache=True)
    return response


def _wheel_or_404() -> Wheel:
    found = find_wheel()
    if found is None:
        raise Http404("This server has no Python client yet: `serve` builds it when it starts")
    return found
