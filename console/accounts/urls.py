"""First run, sign-in and sign-out, joining by invitation, one's own account and its second factor."""

from django.urls import include, path

from console.accounts import views

urlpatterns = [
    path("welcome/<token>/", views.welcome, name="welcome"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("join/<token>/", views.join, name="join"),
    path("account/", views.account, name="account"),
    path("account/first-password/", views.first_password, name="first-password"),
    path("account/sign-out-everywhere/", views.sign_out_everywhere, name="sign-out-everywhere"),
    path("sign-in/", include("console.accounts.second_factor.sign_in_urls")),
    path("account/second-factor/", include("console.accounts.second_factor.urls")),
    path("", include("console.accounts.openid.urls")),
]
