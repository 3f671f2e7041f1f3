"""One Base as a table: the page, its rows, saving what was edited, the bar, and rows in and out as files."""

from django.urls import path

from console.base import import_export_views, query_bar_views, saves, views

urlpatterns = [
    path("", views.base, name="base"),
    path("rows/", views.rows, name="base-rows"),
    path("item/", views.item, name="base-item"),
    path("save/", saves.save, name="base-save"),
    path("understand/", query_bar_views.understand, name="base-understand"),
    path("count/", query_bar_views.count, name="base-count"),
    path("usage/", query_bar_views.operators, name="base-operators"),
    path("export/", import_export_views.export, name="base-export"),
    path("parse/", import_export_views.parse, name="base-parse"),
]
