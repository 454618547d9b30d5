"""Builds the compiled engine where there is a C++ compiler; pyproject.toml says all the rest."""

import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel

CORE = Path("src/automorph/native/core")
# The library is loaded with ctypes and knows nothing of Python, so one build fits all versions.
ANY_PYTHON = not sysconfig.get_config_var("Py_GIL_DISABLED")
WINDOWS = sysconfig.get_platform().startswith("win")
# Contracted multiply-adds would change pixels; a plain C++ compiler is all that is needed.
FLAGS = ["/std:c++17", "/O2", "/fp:precise"]
if not WINDOWS:
    FLAGS = ["-std=c++17", "-O3", "-g0", "-ffp-contract=off", "-fno-math-errno"]
    FLAGS += ["-fno-trapping-math", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"]


class PlatformWheel(bdist_wheel):
    """A wheel that fits every Python on its platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tag: any Python 3, no ABI, this platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            "automorph.native._core",
            sources=sorted(str(path) for path in CORE.glob("*.cpp")),
            depends=sorted(str(path) for path in CORE.glob("*.h*")),
            extra_compile_args=FLAGS,
            language="c++",
            optional=True,
            py_limited_api=ANY_PYTHON,
        )
    ],
    # Free-threaded Python has no limited API, so the library gets a name that only it looks for.
    cmdclass={"bdist_wheel": PlatformWheel} if ANY_PYTHON else {},
)
