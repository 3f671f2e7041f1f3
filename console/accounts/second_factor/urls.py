"""One's own second factor."""

from django.urls import path

from console.accounts.second_factor import views

urlpatterns = [
    path("", views.set_up, name="second-factor-set-up"),
    path("prove/", views.prove, name="prove"),
    path("app/", views.app, name="second-factor-app"),
    path("passkeys/new/", views.new_passkey, name="new-passkey"),
    path("passkeys/new/question/", views.new_passkey_question, name="new-passkey-question"),
    path("passkeys/<int:factor_id>/rename/", views.rename_passkey, name="rename-passkey"),
    path("<int:factor_id>/remove/", views.remove_factor, name="remove-factor"),
    path("recovery-codes/", views.recovery_codes, name="recovery-codes"),
    path("turn-off/", views.turn_off, name="turn-off-second-factor"),
]
