"""The clients that this server gives away. Anybody may have them: pip has no session, and they hold no secret."""

from django.urls import path

from console.connect import client_views

urlpatterns = [
    path("python.txt", client_views.python_requirements, name="python-client"),
    path("<file_name>", client_views.wheel, name="client-wheel"),
]
