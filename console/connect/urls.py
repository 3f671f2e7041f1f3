"""How an app reaches a collection."""

from django.urls import path

from console.connect import views
from console.connect.types import views as types_views

urlpatterns = [
    path("", views.connect, name="connect"),
    path("light/", views.light, name="connect-light"),
    path("types/", types_views.types, name="base-types"),
    path("types/file", types_views.file, name="base-types-file"),
    path("homeport-ca.pem", views.authority, name="authority"),
]
