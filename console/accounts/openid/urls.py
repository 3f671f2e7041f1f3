"""Signing in through an OpenID Connect provider."""

from django.urls import path

from console.accounts.openid import views

urlpatterns = [
    path("sign-in/openid/", views.begin, name="openid-begin"),
    path("sign-in/openid/callback/", views.callback, name="openid-callback"),
    path("account/openid/link/", views.link, name="openid-link"),
    path("account/openid/unlink/", views.unlink, name="openid-unlink"),
]
