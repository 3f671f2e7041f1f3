"""The page that shows what the API is like. It is for anybody who is signed in, and the same for all."""

from django.urls import path

from console.api_reference import views

urlpatterns = [path("api-reference/", views.reference, name="api-reference")]
