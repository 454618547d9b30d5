"""What exports to albumentations need beside albumentations itself: a check of its version."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from types import ModuleType


def check_version(library: ModuleType, expected: str) -> None:
    """Refuse other versions, and AlbumentationsX, which has the same import name.

    They only warn of arguments that they do not know, and use defaults of their own instead.
    """
    try:
        installed = version("albumentations")
    except PackageNotFoundError:
        installed = "none"
    if not installed == library.__version__ == expected:
        raise ImportError(
            f"got version {library.__version__} of the module albumentations (package "
            f"albumentations: {installed}); expected {expected}, for which these transforms were "
            "written: pip uninstall albumentationsx; pip install --force-reinstall "
            f"albumentations=={expected}"
        )
