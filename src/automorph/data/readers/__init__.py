"""Readers: one file for each kind of source, each giving raw rows."""
