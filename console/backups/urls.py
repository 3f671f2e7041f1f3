"""The backups of the whole server, for its owners."""

from django.urls import path

from console.backups import views

urlpatterns = [
    path("", views.index, name="backups"),
    path("settings/", views.change, name="change-backups"),
    path("start/", views.start, name="start-backup"),
]
