"""The statements of the history."""
