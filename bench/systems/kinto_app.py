"""What uWSGI serves: Kinto as the file that KINTO_INI names sets it up. Runs in Kinto's own environment, not in ours."""

import configparser
import os

from kinto import main  # type: ignore[import-not-found]

_config = configparser.ConfigParser(interpolation=None)
_config.read(os.environ["KINTO_INI"])
application = main({}, **{name: value for name, value in _config["app:main"].items() if name != "use"})
