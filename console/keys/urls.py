"""A collection's data keys."""

from django.urls import path

from console.keys import views

urlpatterns = [
    path("", views.index, name="keys"),
    path("new/", views.new, name="new-key"),
    path("<int:key_id>/limits/", views.limits, name="key-limits"),
    path("<int:key_id>/revoke/", views.revoke, name="revoke-key"),
]
