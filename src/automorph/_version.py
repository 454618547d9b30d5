"""The version, in a file of its own: rooms need it, and the package imports the rooms."""

__version__ = "0.2.0"
