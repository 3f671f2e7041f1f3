"""The audit log of a collection, for its owners."""

from django.urls import path

from console.audit import views

urlpatterns = [
    path("", views.of_collection, name="collection-audit"),
    path("export/", views.export_of_collection, name="export-collection-audit"),
]
