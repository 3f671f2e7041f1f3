"""One Base as a table: page, rows, saving, many changed at once, saved views, indexes, the bar, rows in and out as files."""

from django.urls import path

from console.base import (
    changes,
    import_export_views,
    indexes,
    live_views,
    query_bar_views,
    saved_views,
    saves,
    views,
)

urlpatterns = [
    path("", views.base, name="base"),
    path("rows/", views.rows, name="base-rows"),
    path("item/", views.item, name="base-item"),
    path("live/", live_views.stream, name="base-live"),
    path("live/rows/", live_views.rows, name="base-live-rows"),
    path("save/", saves.save, name="base-save"),
    path("changes/", changes.many, name="base-changes"),
    path("changes/count/", changes.count, name="base-change-count"),
    path("changes/<uuid:change_id>/", changes.one, name="base-change"),
    path("changes/<uuid:change_id>/undo/", changes.undo, name="base-change-undo"),
    path("views/", saved_views.views, name="base-views"),
    path("views/<int:view_id>/delete/", saved_views.delete, name="delete-base-view"),
    path("indexes/", indexes.indexes, name="base-indexes"),
    path("indexes/<int:index_id>/drop/", indexes.drop, name="drop-base-index"),
    path("understand/", query_bar_views.understand, name="base-understand"),
    path("count/", query_bar_views.count, name="base-count"),
    path("usage/", query_bar_views.operators, name="base-operators"),
    path("export/", import_export_views.export, name="base-export"),
    path("parse/", import_export_views.parse, name="base-parse"),
]
