"""Translators between the subgroups of a class, and the checks that each must pass before use."""
