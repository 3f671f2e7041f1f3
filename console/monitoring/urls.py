"""How the server is doing: for Prometheus, and for its owners. Other pages about the server are below `/server/` too."""

from django.urls import path

from console.monitoring import metrics, views

urlpatterns = [
    path("metrics", metrics.metrics),
    path("server/", views.overview, name="server"),
]
