"""The ``repr`` of adapters."""

from __future__ import annotations

from typing import ClassVar

from automorph.policies import Policy


class ShortRepr:
    """A short ``repr``: the policy, and the options that were set."""

    policy: Policy
    _shown: ClassVar[tuple[str, ...]]
    """Names of the options that are shown, unless they are None."""

    def __repr__(self) -> str:
        shown = [(name, getattr(self, name)) for name in self._shown]
        options = [f"{name}={value!r}" for name, value in shown if value is not None]
        return f"{type(self).__name__}({', '.join([repr(self.policy.name), *options])})"
