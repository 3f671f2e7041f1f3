"""The types of a Base as code: JSON Schema, TypeScript and pydantic, written from what `storage/item_types` learned.

Names come from strangers' items: in code they stand as literals of ASCII, or as names made of their letters, and nowhere else.
"""
