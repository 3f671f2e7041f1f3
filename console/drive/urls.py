"""One Drive, `/collections/{collection_id}/drive/{drive}/...`: its page, its files, and what its scripts ask for."""

from django.urls import path

from console.drive import duplications, files, moves, thumbnails, uploads, views, zips

urlpatterns = [
    path("", views.drive, name="drive"),
    path("rows/", views.rows, name="drive-rows"),
    path("file/", files.file, name="drive-file"),
    path("preview/", files.preview, name="drive-preview"),
    path("thumbnails/", thumbnails.wanted, name="drive-thumbnails"),
    path("thumbnail/", thumbnails.one, name="drive-thumbnail"),
    path("copy/", files.copy, name="drive-copy"),
    path("duplications/<uuid:duplication_id>/", duplications.one, name="drive-duplication"),
    path("zip/", zips.download, name="drive-zip"),
    path("uploads/", uploads.start, name="drive-uploads"),
    path("uploads/<upload_id>/", uploads.one, name="drive-upload"),
    path("uploads/<upload_id>/parts/<int:number>/", uploads.part, name="drive-part"),
    path("uploads/<upload_id>/end/", uploads.end, name="drive-upload-end"),
    path("clashes/", moves.clashes, name="drive-clashes"),
    path("counts/", moves.counts, name="drive-counts"),
    path("sizes/", moves.sizes, name="drive-sizes"),
    path("folders/", moves.folders, name="drive-folders"),
    path("rename/", moves.rename, name="drive-rename"),
    path("move/", moves.move, name="drive-move"),
    path("delete/", moves.delete, name="drive-delete"),
    path("deletions/<int:deletion_id>/", moves.deletion, name="drive-deletion"),
    path("deletions/<int:deletion_id>/undo/", moves.undo, name="drive-undo"),
]
