"""The form of the HTTP client. `request_drafts.py` validates the request; its error becomes the field's error."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms

from console.visor.request_drafts import (
    METHODS,
    Draft,
    check_micro_target,
    check_target,
    kept_headers,
    make_draft,
    read_headers,
)
from storage.errors import InvalidInput
from storage.events.blocks import Event
from storage.exact_json import parse
from storage.models import Micro

JSON, TEXT = "application/json", "text/plain"
_DATA = {"autocomplete": "off", "spellcheck": "false", "class": "data"}


class ClientForm(forms.Form):
    """A request: method, what follows the collection's address, body with its type, headers."""

    to = forms.ChoiceField(required=False)
    method = forms.ChoiceField(choices=[(name, name) for name in METHODS])
    target = forms.CharField(
        label="Path", strip=False, widget=forms.TextInput(attrs={**_DATA, "placeholder": "notes/items/first"})
    )
    body = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs={**_DATA, "rows": 9}))
    kind = forms.ChoiceField(
        label="Body type",
        choices=[(JSON, "JSON"), (TEXT, "Text")],
        widget=forms.RadioSelect,
        initial=JSON,
        required=False,
    )
    headers = forms.CharField(
        required=False,
        strip=False,
        help_text="One per line, as Name: value. No key is needed: your role gives access.",
        widget=forms.Textarea(attrs={**_DATA, "rows": 3}),
    )
    replay_of = forms.RegexField(regex="^[0-9a-f]{32}$", required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, collection_id: str, micros: Sequence[Micro] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._collection_id = collection_id
        self._micros = {micro.id: micro for micro in micros}
        choices = [("", "The API"), *((micro.id, f"Micro “{micro.name}”") for micro in micros)]
        cast(forms.ChoiceField, self.fields["to"]).choices = choices
        if not micros:
            del self.fields["to"]

    @property
    def draft(self) -> Draft:
        """Of a valid form, the request."""
        cleaned = self.cleaned_data
        # Browsers send line breaks of a field as CR LF.
        body = cleaned["body"].replace("\r\n", "\n").encode()
        made = make_draft(
            collection_id=self._collection_id,
            method=cleaned["method"],
            target=cleaned["target"],
            headers=cleaned["headers"],
            body=body,
            micro=self._micro,
        )
        if body and not any(name.lower() == "content-type" for name, _ in made.headers):
            made.headers.append(("Content-Type", cleaned["kind"] or JSON))
        return made

    @property
    def _micro(self) -> Micro | None:
        return self._micros.get(self.cleaned_data.get("to", ""))

    def clean_target(self) -> str:
        target: str = self.cleaned_data["target"]
        if self._micro is not None:
            _checked(check_micro_target, target, micro=self._micro)
        elif "to" not in self.errors:
            _checked(check_target, target, collection_id=self._collection_id)
        return target

    def clean_headers(self) -> str:
        headers: str = self.cleaned_data["headers"]
        _checked(read_headers, headers, is_for_micro=self._micro is not None)
        return headers

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        body = cleaned.get("body", "")
        if body.strip() and cleaned.get("kind") != TEXT and "content-type" not in cleaned.get("headers", "").lower():
            try:
                parse(body.encode())
            except InvalidInput as error:
                self.add_error("body", ". ".join(error.messages))
        if not self.errors:
            try:
                _ = self.draft
            except InvalidInput as error:
                self.add_error(None, error.messages[0])
        return cleaned


def form_of(event: Event, *, replay_of: str, micros: Sequence[Micro] = ()) -> ClientForm:
    """The form filled with a recorded request, as far as it was kept. `micros` are those that it may be sent to."""
    content_type = event.content.request.content_type.partition(";")[0]
    kind = TEXT if content_type == TEXT else JSON
    headers = [pair for pair in kept_headers(event) if pair[0] != "Content-Type" or content_type not in (JSON, TEXT)]
    initial = {
        "to": event.line.micro_id,
        "method": event.line.method,
        "target": event.line.target,
        "body": event.content.request.text or "",
        "kind": kind,
        "headers": "\n".join(f"{name}: {value}" for name, value in headers),
        "replay_of": replay_of,
    }
    return ClientForm(collection_id=event.collection_id, micros=micros, initial=initial)


def _checked(check: Any, *arguments: Any, **options: Any) -> None:
    try:
        check(*arguments, **options)
    except InvalidInput as error:
        raise forms.ValidationError(f"{error.messages[0]}.") from None
