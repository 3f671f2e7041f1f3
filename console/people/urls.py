"""Everyone with an account on this server; for its owners."""

from django.urls import path

from console.people import views

urlpatterns = [
    path("people/", views.index, name="people"),
    path("people/invite/", views.invite, name="invite-owner"),
    path("people/<int:person_id>/remove/", views.remove, name="remove-person"),
    path("people/second-factor/", views.require_second_factor, name="require-second-factor"),
    path("people/<int:person_id>/second-factor/", views.reset_second_factor, name="reset-second-factor"),
    path("people/<int:person_id>/email/", views.person_email, name="person-email"),
    path("people/invitations/<int:invitation_id>/withdraw/", views.withdraw, name="withdraw-owner-invitation"),
]
