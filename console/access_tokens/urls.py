"""Terminals: the page that lets one in, and the end of its access token."""

from django.urls import path

from console.access_tokens import views

urlpatterns = [
    path("terminal/<uuid:sign_in_id>/", views.terminal, name="terminal"),
    path("tokens/<int:token_id>/revoke/", views.revoke, name="revoke-token"),
]
