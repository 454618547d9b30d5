"""Old names of packages and modules, which warn and redirect to the new ones until release 0.3.

Version 0.2 renamed the packages. A finder at the end of ``sys.meta_path`` is asked only for modules
that do not exist, so all other imports cost nothing extra.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

REMOVED_IN = "0.3"

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

_MODULES = {
    "adapters": "integrations",
    "adapters.on_device": "integrations.layer",
    "adapters.trainer": "integrations.transformers_callback",
    "comparison": "experiments",
    "mirror": "remote",
    "offline": "searchers",
    "online": "augmenters",
    "patching": "robustness",
    "patching.cyclegan": "robustness.translators.cyclegan",
    "patching.subject": "robustness.predictions",
    "patching.translators": "robustness.translators.base",
    "peers": "interop",
    "space": "operations",
    "space.vectors": "operations.synthetic",
    "texts": "text",
}
"""Old names (below ``automorph``) and new ones; the modules of a package move with it."""


_NAMES = {
    "augmenters": {"Method": "InTrainingMethod", "as_arm": "as_treatment"},
    "data": {"Arrays": "Split"},
    "experiments": {"Arm": "Treatment"},
    "native": {"KERNELS": "operations.COMPILED", "Operation": "OperationRow"},
    "policies": {"Drawn": "RandomPolicy", "within": "check_range"},
    "searchers": {
        "Method": "Searcher", "Outcome": "JobResult", "Setting": "SearchContext",
        "Train": "TrainJob",
    },
    "searchers.tanda": {"held_space": "discretized_space"},
    "theory": {
        "Chain": "MarkovChain", "Split": "SplitNetwork",
        "usual_space": "diagnostics.default_space",
        **{
            name: f"diagnostics.{name}"
            for name in (
                "Bench", "Diagnosis", "Explanation", "Finding", "Point", "diagnose_policy",
                "explain", "explained_space", "feature_map", "instant_policy", "narrowed",
                "random_convolutions", "transform_of",
            )
        },
    },
}  # fmt: skip
"""Old names in today's packages: their new names there, or below ``automorph``."""


def renamed(name: str) -> str | None:
    """Return the new name of an old module, or None.

    >>> renamed("automorph.adapters.huggingface")
    'automorph.integrations.huggingface'
    """
    below = name.removeprefix("automorph.")
    package, _, rest = below.partition(".")
    if below in _MODULES:
        return f"automorph.{_MODULES[below]}"
    return f"automorph.{_MODULES[package]}.{rest}" if package in _MODULES else None


def warn(old: str, new: str, where: str = "import") -> None:
    """Warn that an old name was used; ``where`` is what the user has to change."""
    warnings.warn(
        f"{old} is now {new}; change the {where}: the old name goes in {REMOVED_IN}",
        DeprecationWarning,
        stacklevel=3,
    )


def old_names(module: str) -> Callable[[str], Any]:
    """Make a package's ``__getattr__``: old names warn and return the object of the new name."""
    names = _NAMES[module.removeprefix("automorph.")]

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        package, _, new = names[name].rpartition(".")
        home = f"automorph.{package}" if package else module
        warn(f"{module}.{name}", f"{home}.{new}")
        return getattr(import_module(home), new)

    return get


def renamed_arguments(**names: str) -> Callable[[F], F]:
    """Let a function, or a class's constructor, accept old keywords, with a warning.

    ``names`` maps each old keyword to the new one. Raises `TypeError` if a function gets both.

    >>> @renamed_arguments(tail="post_policy")
    ... def search(*, post_policy):
    ...     return post_policy
    >>> search(post_policy="crop")
    'crop'
    """

    def decorate(call: F) -> F:
        inner: Any = call.__init__ if isinstance(call, type) else call  # type: ignore[misc]

        @wraps(inner)
        def renaming(*args: Any, **options: Any) -> Any:
            for old, new in names.items():
                if old not in options:
                    continue
                # `dataclasses.replace` fills in the new keyword; there, the old one was typed.
                if new in options and not isinstance(call, type):
                    raise TypeError(
                        f"{call.__name__}() got both {old}= and {new}=; pass {new}= only"
                    )
                warn(f"{call.__qualname__}({old}=)", f"{call.__qualname__}({new}=)", "call")
                options[new] = options.pop(old)
            return inner(*args, **options)

        if not isinstance(call, type):
            return renaming  # type: ignore[return-value]
        call.__init__ = renaming  # type: ignore[misc]
        return call

    return decorate


def renamed_attributes(**names: str) -> Callable[[C], C]:
    """Let a class's objects be read by old attribute and method names, with a warning.

    ``names`` maps each old name to the new one.
    """

    def reader(cls: type, old: str, new: str) -> property:
        def read(instance: Any) -> Any:
            warn(f"{cls.__qualname__}.{old}", f"{cls.__qualname__}.{new}", "code")
            return getattr(instance, new)

        return property(read, doc=f"Old name of `{new}`.")

    def decorate(cls: C) -> C:
        for old, new in names.items():
            setattr(cls, old, reader(cls, old, new))
        return cls

    return decorate


class _Alias(ModuleType):
    """A module that was renamed: every name is looked up in the new one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(str(renamed(self.__name__))), name)


class _Finder(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        new = renamed(fullname) if fullname.startswith("automorph.") else None
        if new is None:
            return None
        try:
            import_module(new)
        except ModuleNotFoundError as error:
            if error.name and new.startswith(error.name):
                return None
            raise
        warn(fullname, new)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Alias(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def install() -> None:
    """Make the old names importable."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
