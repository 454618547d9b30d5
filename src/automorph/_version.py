"""The version, in its own file: subpackages need it, and the package imports them."""

__version__ = "0.2.0"
