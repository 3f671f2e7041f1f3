"""Fetches the code that serves, and lays it out in a folder."""

from __future__ import annotations

import tempfile

from deta.cli.errors import CliError, ServerError
from deta.cli.micro import Micro
from deta.cli.says import progress
from deta.cli.unpacking import BYTES_MAX, unpack


def fetch_code(micro: Micro) -> None:
    """Write the deployed files into the Micro's folder, over those it has. Raises CliError, having changed nothing."""
    with tempfile.TemporaryFile() as bundle:
        try:
            with micro.server.stream("GET", micro.path("bundle")) as response:
                size = int(response.headers.get("Content-Length", "0"))
                with progress("Fetching", size or None) as tell:
                    taken = 0
                    for chunk in response.iter_bytes():
                        taken += len(chunk)
                        if taken > BYTES_MAX:
                            raise CliError("The server sent more than a Micro's code may be: nothing was written")
                        bundle.write(chunk)
                        tell(len(chunk))
        except ServerError as error:
            if error.status == 404 and "Deployment not found" in "".join(error.errors):
                raise CliError(f"Nothing was deployed to '{micro.state.name}' yet") from None
            raise
        bundle.seek(0)
        unpack(bundle, micro.folder)
