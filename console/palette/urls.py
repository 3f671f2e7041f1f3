"""The command palette."""

from django.urls import path

from console.palette import views

urlpatterns = [path("jump/", views.jump, name="jump")]
