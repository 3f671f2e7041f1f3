"""The one parser of files of items and of pasted text: bytes in, items out, each with its place or with what is wrong. Pure.

`json_stream.py` finds items in JSON of any length, `parsed_items.py` parses them, `tables.py` reads files of lines and cells.
"""
