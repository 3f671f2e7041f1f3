"""Exports, imports and snapshots of a collection."""

from django.urls import path

from console.archives import exports, imports, snapshots

urlpatterns = [
    path("exports/", exports.index, name="exports"),
    path("exports/new/", exports.new, name="new-export"),
    path("exports/<uuid:export_id>/download/", exports.download, name="download-export"),
    path("exports/<uuid:export_id>/check/", exports.check, name="check-export"),
    path("exports/<uuid:export_id>/delete/", exports.delete, name="delete-export"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="new-import"),
    path("imports/<uuid:import_id>/", imports.show, name="import"),
    path("imports/<uuid:import_id>/parts/", imports.add_part, name="import-part"),
    path("imports/<uuid:import_id>/check/", imports.check, name="check-import"),
    path("imports/<uuid:import_id>/run/", imports.run, name="run-import"),
    path("imports/<uuid:import_id>/delete/", imports.delete, name="delete-import"),
    path("snapshots/", snapshots.snapshots, name="snapshots"),
]
