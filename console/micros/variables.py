"""A Micro's variables. Their values are written here, and shown nowhere."""

from typing import Any

from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console.micros import shown
from console.micros.env_lines import read_env_lines
from console.micros.forms import PasteForm, ValueForm, VariableForm, put_error
from console.page import UNPROCESSABLE, PageRequest, go_to, show_dialog
from storage import limits
from storage.errors import InvalidInput, SecretsUnreadable
from storage.micros import variables
from storage.models import Micro, Role

_FORM_METHODS = ["GET", "HEAD", "POST"]
_WHEN = "The Micro starts anew with it."


@require_http_methods(_FORM_METHODS)
def index(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    form = VariableForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        if _set(form, micro, {said["name"].strip(): said["value"]}):
            return go_to(request, "micro-variables", collection_id, micro_id, said=f"{said['name']} set. {_WHEN}")
    more: dict[str, Any] = {"form": form, "most": limits.MICRO_VARIABLES_MAX, **_names(micro)}
    context = shown.page_of(request, granted, micro, "variables", **more)
    return render(request, "micros/variables.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_http_methods(_FORM_METHODS)
def change(request: PageRequest, collection_id: str, micro_id: str, variable: str) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    _check(micro, variable)
    form = ValueForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _set(form, micro, {variable: form.cleaned_data["value"]}):
        return go_to(request, "micro-variables", collection_id, micro_id, said=f"{variable} changed. {_WHEN}")
    context = {"granted": granted, "micro": micro, "variable": variable, "title": f"Another value for {variable}"}
    return show_dialog(request, "micros/change_variable.html", form=form, **context)


@require_http_methods(_FORM_METHODS)
def remove(request: PageRequest, collection_id: str, micro_id: str, variable: str) -> HttpResponse:
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    _check(micro, variable)
    if request.method == "POST":
        variables.remove_variables(collection_id=collection_id, micro_id=micro_id, variable_names=[variable])
        return go_to(request, "micro-variables", collection_id, micro_id, said=f"{variable} removed.")
    context = {"granted": granted, "micro": micro, "variable": variable, "title": f"Remove {variable}?"}
    return show_dialog(request, "micros/remove_variable.html", **context)


@require_http_methods(_FORM_METHODS)
def paste(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Many at once, out of the lines of a `.env` file."""
    granted, micro = shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    form = PasteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            values = read_env_lines(form.cleaned_data["lines"])
        except InvalidInput as error:
            put_error(form, error, lines="")
        else:
            if _set(form, micro, values, replaces=form.cleaned_data["replaces"], field="lines"):
                said = f"{len(values)} variable{'' if len(values) == 1 else 's'} set. The Micro starts anew with them."
                return go_to(request, "micro-variables", collection_id, micro_id, said=said)
    context = {"granted": granted, "micro": micro, "title": "Paste variables"}
    return show_dialog(request, "micros/paste_variables.html", form=form, **context)


def _set(form: Form, micro: Micro, values: dict[str, str], *, replaces: bool = False, field: str = "") -> bool:
    """Whether they are set; else the form says why not."""
    act = variables.replace_variables if replaces else variables.set_variables
    try:
        act(collection_id=micro.collection_id, micro_id=micro.id, values=values)
    except (InvalidInput, SecretsUnreadable) as error:
        put_error(form, error, **({field: ""} if field else {"value": "value", "name": "name"}))
        return False
    return True


def _names(micro: Micro) -> dict[str, Any]:
    """Their names, or why they can't be read."""
    try:
        return {"names": variables.list_variable_names(collection_id=micro.collection_id, micro_id=micro.id)}
    except SecretsUnreadable as error:
        return {"names": [], "unreadable": error.messages[0]}


def _check(micro: Micro, variable: str) -> None:
    if variable not in _names(micro)["names"]:
        raise Http404("The Micro has no such variable")
