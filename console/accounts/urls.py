"""First run, sign-in and sign-out, joining by invitation, one's own account."""

from django.urls import path

from console.accounts import views

urlpatterns = [
    path("welcome/<token>/", views.welcome, name="welcome"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("join/<token>/", views.join, name="join"),
    path("account/", views.account, name="account"),
    path("account/sign-out-everywhere/", views.sign_out_everywhere, name="sign-out-everywhere"),
]
