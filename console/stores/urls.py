"""A Base or Drive as a whole, `/collections/{collection_id}/manage/{base or drive}/{name}/...`."""

from django.urls import path

from console.stores import views

urlpatterns = [
    path("<kind>/<name>/rename/", views.rename, name="rename-store"),
    path("<kind>/<name>/duplicate/", views.duplicate, name="duplicate-store"),
    path("<kind>/<name>/move/", views.move, name="move-store"),
    path("<kind>/<name>/empty/", views.empty, name="empty-store"),
    path("<kind>/<name>/delete/", views.delete, name="delete-store"),
    path("deletions/<int:store_deletion_id>/undo/", views.undo, name="restore-store"),
]
