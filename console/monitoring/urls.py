"""How the server is doing, for its owners. Other pages about the whole server stand below `/server/` as well."""

from django.urls import path

from console.monitoring import views

urlpatterns = [
    path("server/", views.overview, name="server"),
]
