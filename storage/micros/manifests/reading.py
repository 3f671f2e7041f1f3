"""Finds and reads what an app declares among the files at its top."""

from collections.abc import Mapping

from storage import limits
from storage.errors import BundleRefused
from storage.micros.manifests import deta_json, spacefile
from storage.micros.manifests.manifest import Checked, Manifest

# The first that is there counts.
NAMES = (deta_json.NAME, spacefile.NAME)


def read_manifest(contents: Mapping[str, bytes], *, wanted: str = "") -> Manifest:
    """What these files declare, by their names; one that is not there declares nothing.

    `wanted` names the Micro of a Spacefile that is meant. Raises BundleRefused with a sentence for each thing that is wrong.
    """
    name = next((each for each in NAMES if each in contents), None)
    if name is None:
        return Manifest()
    checked = Checked(name)
    content = contents[name]
    if len(content) > limits.MANIFEST_MAX_BYTES:
        checked.complain(f"it has more than {limits.MANIFEST_MAX_BYTES:,} bytes")
        found = Manifest(name)
    elif name == deta_json.NAME:
        found = deta_json.read(content, checked)
    else:
        found = spacefile.read(content, checked, wanted=wanted)
    if sum(len(each.name) + len(each.value.encode()) for each in found.variables) > limits.MICRO_VARIABLES_MAX_BYTES:
        checked.complain(f"the values it gives have more than {limits.MICRO_VARIABLES_MAX_BYTES:,} bytes together")
    if checked.faults:
        raise BundleRefused(*checked.faults[: limits.MANIFEST_FAULTS_TOLD])
    return found
