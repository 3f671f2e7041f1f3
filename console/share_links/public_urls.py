"""What a share link leads to, `/s/{share}/`: for anybody who has it."""

from django.urls import path

from console.share_links import public

urlpatterns = [
    path("s/<share>/", public.shared, name="shared"),
    path("s/<share>/file/", public.shared_file, name="shared-file"),
]
