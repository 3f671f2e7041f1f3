"""The console's part of what Micros' hosts need: letting a person in, and which names are ours."""

from django.urls import path

from console.front import views

urlpatterns = [
    path("enter/", views.enter, name="enter-micro"),
    path("domains/ask", views.ask, name="ask-domain"),
]
