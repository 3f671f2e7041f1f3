"""The recorded requests of a collection, and the HTTP client."""

from django.urls import path, register_converter

from console.visor import http_client_views, views


class EventId:
    """An event's id as 32 hexadecimal digits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(EventId, "event")

urlpatterns = [
    path("", views.index, name="visor"),
    path("live/", views.live, name="visor-live"),
    path("switch/", views.switch, name="visor-switch"),
    path("har/", views.har, name="visor-har"),
    path("client/", http_client_views.client, name="visor-client"),
    path("<event:event_id>/", views.event, name="visor-event"),
    path("<event:event_id>/pin/", views.pin, name="visor-pin"),
    path("<event:event_id>/redo/", views.redo, name="visor-redo"),
]
