"""Imported by the process that those of `processor_time.py` are forked from: what each of them needs is loaded once."""

import importlib

import django

django.setup()
importlib.import_module("console.urls")
