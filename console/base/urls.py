"""One Base as a table: the page, its rows, saving what was edited, the bar, and rows in and out as files."""

from django.urls import path

from console.base import bar, saves, transfer, views

urlpatterns = [
    path("", views.base, name="base"),
    path("rows/", views.rows, name="base-rows"),
    path("item/", views.item, name="base-item"),
    path("save/", saves.save, name="base-save"),
    path("understand/", bar.understand, name="base-understand"),
    path("count/", bar.count, name="base-count"),
    path("usage/", bar.operators, name="base-operators"),
    path("export/", transfer.export, name="base-export"),
    path("parse/", transfer.parse, name="base-parse"),
]
