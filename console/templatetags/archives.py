"""Template filters for the progress of exports and imports."""

from django import template

from storage.models import Export, Import

register = template.Library()

_STEPS = (("Upload", ["uploading"]), ("Check", ["checking"]), ("Choose", ["checked"]), ("Import", ["running"]))


@register.filter
def percent(row: Export | Import) -> int:
    """How much is done in percent of bytes, at most 99: the expected size is only an estimate."""
    if not row.bytes_expected:
        return 0
    return min(99, row.bytes_done * 100 // row.bytes_expected)


@register.filter
def steps(import_: Import) -> list[dict[str, str]]:
    """The steps of an import, each "done", "now" or "next"."""
    reached = next((index for index, (_, states) in enumerate(_STEPS) if import_.state in states), len(_STEPS))
    if import_.state == Import.State.FAILED:
        reached = 3 if import_.report else 1
    words = ["done"] * reached + ["now"] + ["next"] * len(_STEPS)
    return [{"name": name, "state": words[index]} for index, (name, _) in enumerate(_STEPS)]
