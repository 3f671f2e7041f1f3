"""Serves a Micro that is written in Python: `python -I -S start.py [FOLDER OF THE APP] [FOLDER OF ITS PACKAGES]`.

Reads nothing of the server's: it finds a listening socket at descriptor 3, a control socket at 4, and beside itself, in `lib`,
the web server and the `deta` library. `-S` keeps the interpreter's own site-packages out; what they would hold is in `lib`.
"""

import site
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OURS = [str(HERE), str(HERE / "lib")]


def main() -> None:
    app, packages = ([*sys.argv[1:], "/app", "/deps"] if len(sys.argv) == 1 else sys.argv[1:])[:2]
    site.setquit()  # `exit` and `quit`, which come with the module that -S leaves out
    site.sethelper()
    sys.path += OURS
    # The web server comes before the app's folders are on the path, where a file called `uvicorn.py` would take its place.
    from homeport_runtime import micro

    prepared = micro.prepare()
    set_aside()
    sys.argv[:] = [str(Path(app) / "main.py")]
    sys.path[:] = [app, *(folder for folder in sys.path if folder not in OURS)]
    site.addsitedir(packages)
    sys.path += OURS
    sys.meta_path.insert(0, micro.OurDeta(OURS[1]))
    micro.run(prepared, Path(app))


def set_aside() -> None:
    """Forget the packages that the web server has loaded: an app that brings others of these names gets its own."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(OURS[1]):
            del sys.modules[name]


if __name__ == "__main__":
    main()
