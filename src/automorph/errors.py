"""The errors of Automorph; each states what was given, what was expected and what to do."""

from __future__ import annotations


class AutomorphError(Exception):
    """Base of every error that Automorph raises on purpose; the command line exits with 1.

    Messages have three parts: what was given, what was expected and what to do about it.
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
    """A training that cannot continue: NaN, divergence, a checkpoint that does not fit."""


class DamagedError(TrainingError):
    """A file of a run that is truncated, was changed, or belongs to something else."""


class DiskError(AutomorphError):
    """A file that cannot be written: the disk is full, or the folder is read-only."""


class MissingExtraError(UsageError):
    """An optional library is needed but not installed."""
