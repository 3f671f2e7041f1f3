"""The links to files of one Drive, `/collections/{collection_id}/drive/{drive}/links/...`: listed, made, revoked."""

from django.urls import path

from console.share_links import views

urlpatterns = [
    path("", views.index, name="share-links"),
    path("new/", views.new, name="new-share-link"),
    path("<int:link_id>/revoke/", views.revoke, name="revoke-share-link"),
]
