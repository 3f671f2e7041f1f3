"""A collection's Micros: the list, new ones, and of one its pages."""

from django.urls import include, path

from console.micros import (
    api_keys,
    creating,
    deployments,
    domains,
    list_views,
    logs,
    overview,
    runs,
    schedule,
    settings_views,
    variables,
)
from console.micros.from_git import views as from_git_views

_one = [
    path("", overview.overview, name="micro"),
    path("bundle/", deployments.send_bundle, name="micro-bundle"),
    path("deployments/", deployments.index, name="micro-deployments"),
    path("deployments/<uuid:deployment_id>/", deployments.show, name="micro-deployment"),
    path("deployments/<uuid:deployment_id>/roll-back/", deployments.roll_back, name="micro-roll-back"),
    path("deployments/<uuid:deployment_id>/download/", deployments.download, name="micro-code"),
    path("environment/", variables.index, name="micro-variables"),
    path("environment/paste/", variables.paste, name="paste-micro-variables"),
    path("environment/<variable>/set/", variables.change, name="change-micro-variable"),
    path("environment/<variable>/remove/", variables.remove, name="remove-micro-variable"),
    path("domains/", domains.index, name="micro-domains"),
    path("domains/<domain>/remove/", domains.remove, name="remove-micro-domain"),
    path("keys/", api_keys.index, name="micro-keys"),
    path("keys/new/", api_keys.new, name="new-micro-key"),
    path("keys/<int:api_key_id>/revoke/", api_keys.revoke, name="revoke-micro-key"),
    path("logs/", logs.index, name="micro-logs"),
    path("schedule/", schedule.index, name="micro-schedule"),
    path("schedule/check/", schedule.check, name="check-micro-schedule"),
    path("schedule/remove/", schedule.remove, name="remove-micro-schedule"),
    path("schedule/run/", schedule.run_now, name="run-micro-schedule"),
    path("runs/", runs.index, name="micro-runs"),
    path("runs/<uuid:run_id>/", runs.show, name="micro-run-shown"),
    path("runs/<uuid:run_id>/cancel/", runs.cancel, name="cancel-micro-run"),
    path("settings/", settings_views.settings, name="micro-settings"),
    path("settings/address/", settings_views.address, name="micro-address"),
    path("settings/restart/", settings_views.restart, name="restart-micro"),
    path("settings/delete/", settings_views.delete, name="delete-micro"),
]

urlpatterns = [
    path("", list_views.index, name="micros"),
    path("new/", creating.new, name="new-micro"),
    path("new/starters/<slug:starter>/", creating.from_starter, name="new-micro-from-starter"),
    path("new/address/", creating.check_address, name="check-micro-address"),
    path("from-git/<uuid:fetch_id>/", from_git_views.fetched, name="git-fetch"),
    path("from-git/<uuid:fetch_id>/update/<micro_id>/", from_git_views.update, name="update-from-git"),
    path("<micro_id>/", include(_one)),
]
