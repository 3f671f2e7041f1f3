"""Tests of streams of changes: what a page is answered, and who may go on following."""
