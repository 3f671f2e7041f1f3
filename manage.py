#!/usr/bin/env python
"""Homeport's command line: `python manage.py help` lists the commands."""

import os
import sys

from environs import EnvError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except EnvError as error:
        sys.exit(f"A setting in the environment is wrong: {error}")
