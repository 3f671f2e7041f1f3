"""Collections: the list, and of one its Bases, Drives and settings with the people in it."""

from django.urls import include, path

from console.collections import doors, members, settings_views, views

_one = [
    path("", views.collection, name="collection"),
    path("start/", doors.start, name="start"),
    path("base/", views.bases, name="bases"),
    path("new-base/", views.new_base, name="new-base"),
    path("drive/", views.drives, name="drives"),
    path("new-drive/", views.new_drive, name="new-drive"),
    path("settings/", settings_views.settings, name="settings"),
    path("settings/delete/", settings_views.delete, name="delete-collection"),
    path("settings/people/invite/", members.invite, name="invite-member"),
    path("settings/people/<int:person_id>/role/", members.change_role, name="change-role"),
    path("settings/people/<int:person_id>/remove/", members.remove, name="remove-member"),
    path(
        "settings/people/invitations/<int:invitation_id>/withdraw/", members.withdraw, name="withdraw-member-invitation"
    ),
]

urlpatterns = [
    path("", views.index, name="collections"),
    path("collections/new/", views.new_collection, name="new-collection"),
    path("collections/deletions/", views.deletions, name="deletions"),
    path("collections/<collection_id>/", include(_one)),
]
