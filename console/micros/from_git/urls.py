"""The way from a button in somebody's README to a Micro: where it leads, and the button."""

from django.urls import path

from console.micros.from_git import button, views

urlpatterns = [
    path("deploy", views.begin, name="deploy"),
    path("deploy/button.svg", button.button, name="deploy-button"),
]
