"""How an app reaches a collection."""

from django.urls import path

from console.connect import views

urlpatterns = [
    path("", views.connect, name="connect"),
    path("light/", views.light, name="connect-light"),
    path("homeport-ca.pem", views.authority, name="authority"),
]
