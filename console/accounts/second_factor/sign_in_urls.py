"""The second step of signing in, and signing in with a passkey alone: open to those who are not signed in yet."""

from django.urls import path

from console.accounts.second_factor import sign_in_views as views

urlpatterns = [
    path("second-step/", views.second_step, name="second-step"),
    path("second-step/passkey/", views.second_step_passkey, name="second-step-passkey"),
    path("second-step/passkey/question/", views.second_step_question, name="second-step-question"),
    path("passkey/", views.passkey_sign_in, name="passkey-sign-in"),
    path("passkey/question/", views.passkey_question, name="passkey-question"),
]
