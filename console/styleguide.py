"""`/styleguide`: every component on one page, for developers. It exists only with HOMEPORT_DEBUG."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


class _Fields(forms.Form):
    text = forms.CharField(help_text="What a person should know before typing.")
    broken = forms.CharField(label="With an error")
    choice = forms.ChoiceField(choices=[("a", "The first"), ("b", "The second")])
    radio = forms.ChoiceField(choices=[("a", "One of these"), ("b", "And no other")], widget=forms.RadioSelect)


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    form = _Fields({"text": "Something", "choice": "a", "radio": "a"})
    form.is_valid()
    return render(request, "styleguide.html", {"form": form})
