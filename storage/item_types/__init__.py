"""What the items of a Base look like, learned from the items: a description that knows no language."""
