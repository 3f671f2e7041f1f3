"""The console's part of letting a person into a Micro."""

from django.urls import path

from console.front import views

urlpatterns = [path("enter/", views.enter, name="enter-micro")]
