"""The clients that this server offers. They need no sign-in: pip has no session, and they contain no secrets."""

from django.urls import path

from console.connect import client_views

urlpatterns = [
    path("python.txt", client_views.python_requirements, name="python-client"),
    path("constraints.txt", client_views.constraints, name="constraints"),
    path("constraints-uv.txt", client_views.uv_constraints, name="uv-constraints"),
    path("constraints-<version>.txt", client_views.constraints, name="constraints-of"),
    path("<file_name>", client_views.wheel, name="client-wheel"),
]
