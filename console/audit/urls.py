"""The audit log of the server, for its owners. A collection's is below the collection (`console/audit/collection_urls.py`)."""

from django.urls import path

from console.audit import views

urlpatterns = [
    path("audit/", views.of_server, name="audit"),
    path("audit/export/", views.export_of_server, name="export-audit"),
]
