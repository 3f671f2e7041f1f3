"""From a file to a collection.

`imports.py` has the list, `sources.py` says what a file of any origin holds (`storage/zip_reader.py` reads zips, `reading/`
files of items), `plans.py` has what was found and chosen, `checking.py` checks all of it, `importer.py` stores what was chosen.
"""
