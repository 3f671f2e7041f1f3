"""The table of contents of all that answers over HTTP: two probes, the public API, what `deta` calls, the pages."""

from django.conf import settings
from django.urls import include, path

from console import health, styleguide

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("v1/", include("console.api.urls")),
    path("cli/", include("console.cli_api.urls")),
    path("", include("console.accounts.urls")),
    path("", include("console.access_tokens.urls")),
    path("", include("console.front.urls")),
    path("", include("console.share_links.public_urls")),
    path("", include("console.people.urls")),
    path("", include("console.micros.from_git.urls")),
    path("", include("console.audit.urls")),
    path("server/backups/", include("console.backups.urls")),
    path("", include("console.api_reference.urls")),
    path("", include("console.monitoring.urls")),
    path("", include("console.palette.urls")),
    path("collections/<collection_id>/keys/", include("console.keys.urls")),
    path("collections/<collection_id>/audit/", include("console.audit.collection_urls")),
    path("collections/<collection_id>/base/<name>/history/", include("console.history.urls")),
    path("collections/<collection_id>/base/<name>/", include("console.base.urls")),
    path("collections/<collection_id>/manage/", include("console.stores.urls")),
    path("collections/<collection_id>/", include("console.archives.urls")),
    path("collections/<collection_id>/connect/", include("console.connect.urls")),
    path("clients/", include("console.connect.client_urls")),
    path("collections/<collection_id>/drive/<drive>/", include("console.drive.urls")),
    path("collections/<collection_id>/drive/<drive>/links/", include("console.share_links.urls")),
    path("collections/<collection_id>/micros/", include("console.micros.urls")),
    path("collections/<collection_id>/visor/", include("console.visor.urls")),
    path("", include("console.collections.urls")),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))

handler400 = "console.error_views.bad_request"
handler403 = "console.error_views.permission_denied"
handler404 = "console.error_views.page_not_found"
handler500 = "console.error_views.server_error"
