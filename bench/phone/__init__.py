"""The console's pages on a slow phone: what is asked for, what fills them, what a browser says of each, and the report."""
