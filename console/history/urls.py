"""What the items of a Base were and who changed them: the stream, one item's versions, what can be brought back, the switch."""

from django.urls import path

from console.history import switch_views, undo_views, views

urlpatterns = [
    path("", views.stream, name="base-history"),
    path("item/", views.item, name="item-history"),
    path("bring-back/", undo_views.bring_back, name="bring-back"),
    path("undo/", undo_views.undo, name="undo-writer"),
    path("switch/", switch_views.switch, name="switch-history"),
]
