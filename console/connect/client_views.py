"""The Python client for pip: the wheels, and addresses that stay the same from one version to the next."""

from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import condition, require_safe

from console.connect import drop_in
from console.connect.addresses import is_local
from console.connect.python_client import Wheel, find_wheel


def _etag(request: HttpRequest, file_name: str) -> str | None:
    found = _find(request, file_name)
    return f'"{found.sha256}"' if found else None


@login_not_required
@require_safe
@condition(etag_func=_etag)
def wheel(request: HttpRequest, file_name: str) -> HttpResponse:
    """A wheel under the one name that pip takes it by. Its bytes may change under that name, so caches ask again."""
    found = _find(request, file_name)
    if found is None:
        raise Http404(f"This server's Python client is {_client_or_404().file_name}")
    response = HttpResponse(found.content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    # One that stands for `deta` names the server by the host that was asked.
    patch_cache_control(response, public=True, no_cache=True)
    return response


@login_not_required
@require_safe
def python_requirements(request: HttpRequest) -> HttpResponse:
    """For `pip install -r`: where the wheel is now, and the hash that it must have."""
    return _lines(f"homeport-client @ {_url(request, _client_or_404())}")


@login_not_required
@require_safe
def constraints(request: HttpRequest, version: str = drop_in.LATEST) -> HttpResponse:
    """For `pip install -c`: the wheel that stands for `deta`, and a pin that only it answers.

    A line `deta @ URL` would say it shorter, but most versions of pip fail on it where a library asks for `deta[async]`.
    """
    if version not in drop_in.VERSIONS:
        raise Http404(f"This server stands in for deta {' and '.join(drop_in.VERSIONS)}")
    url = _url(request, _drop_in(request, version, _client_or_404()))
    trusted = [] if request.is_secure() or is_local(_host(request)) else [f"--trusted-host {request.get_host()}"]
    return _lines(*trusted, f"--find-links {url}", f"deta=={drop_in.full_version(version)}")


@login_not_required
@require_safe
def uv_constraints(request: HttpRequest) -> HttpResponse:
    """For `uv pip install -c`, which takes no `--find-links` from there, and wants to be told of every address."""
    client = _client_or_404()
    found = _drop_in(request, drop_in.LATEST, client)
    return _lines(f"deta @ {_url(request, found)}", f"homeport-client @ {_url(request, client)}")


def _find(request: HttpRequest, file_name: str) -> Wheel | None:
    client, version = find_wheel(), drop_in.version_of(file_name)
    if client and version:
        return _drop_in(request, version, client)
    return client if client and client.file_name == file_name else None


def _drop_in(request: HttpRequest, version: str, client: Wheel) -> Wheel:
    return drop_in.make_wheel(version, _url(request, client))


def _url(request: HttpRequest, wheel: Wheel) -> str:
    """A wheel's address as the one who asks reaches this server, and the bytes that it means."""
    return f"{request.build_absolute_uri(reverse('client-wheel', args=[wheel.file_name]))}#sha256={wheel.sha256}"


def _host(request: HttpRequest) -> str:
    return urlsplit(f"//{request.get_host()}").hostname or ""


def _lines(*lines: str) -> HttpResponse:
    response = HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")
    patch_cache_control(response, no_cache=True)
    return response


def _client_or_404() -> Wheel:
    found = find_wheel()
    if found is None:
        raise Http404("This server has no Python client yet: `serve` builds it when it starts")
    return found
