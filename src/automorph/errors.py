"""The errors of Automorph: what was got, what was expected, what to do."""

from __future__ import annotations


class AutomorphError(Exception):
    """Base of every error that Automorph raises on purpose; the command line exits with 1.

    Messages have three parts: what was got, what was expected and what to do about it.
    """

    exit_status = 1


class UsageError(AutomorphError):
    """An option, name or argument that cannot be used; the command line exits with 2."""

    exit_status = 2


class DataError(AutomorphError):
    """Data that cannot be read or must not be trained on; the command line exits with 2."""

    exit_status = 2


class PolicyError(UsageError):
    """A policy, operation or space that does not exist, does not parse or does not fit."""


class TrainingError(AutomorphError):
    """A training that cannot go on: NaN, divergence, a checkpoint that does not fit."""


class DamagedError(TrainingError):
    """A file of a run that is not as it was written: cut short, changed, or of something else."""


class DiskError(AutomorphError):
    """A file that cannot be written: the disk is full, or the folder is read-only."""


class MissingExtraError(UsageError):
    """An optional library is needed and not installed."""
