"""Readers, one file for each kind of source, that return raw rows."""
