"""The drawings of Lucide's package, as inline SVG.

The package opens its archive anew for each drawing, and reads the list of all 1,700 every time: a first page has forty of them.
"""

import io
from functools import lru_cache
from importlib import resources
from zipfile import ZipFile


def draw(name: str, **attributes: str) -> str:
    """The drawing with these attributes beside its own, or in place of them. Raises KeyError when there is none of that name."""
    # Each attribute of the outermost tag stands on a line of its own.
    head, _, rest = _archive().read(f"{name}.svg").decode().partition(">")
    # Space between its parts would be a node each in every page.
    inside = "".join(line.strip() for line in rest.splitlines())
    own = dict(line.strip().split("=", 1) for line in head.splitlines()[1:])
    del own["xmlns"]  # which is for a file of its own
    own |= {name: f'"{value}"' for name, value in attributes.items()}
    return f"<svg {' '.join(f'{name}={value}' for name, value in own.items())}>{inside}"


@lru_cache(maxsize=1)
def _archive() -> ZipFile:
    return ZipFile(io.BytesIO(resources.files("lucide").joinpath("lucide.zip").read_bytes()))
