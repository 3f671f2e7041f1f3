"""Tests of what the database notes of changes, and of who reads it."""
