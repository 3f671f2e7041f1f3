#!/usr/bin/env python
"""Homeport's command line in a checkout: `python manage.py help` lists the commands."""

from homeport.cli import main

if __name__ == "__main__":
    main()
