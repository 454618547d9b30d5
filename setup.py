"""Builds the compiled engine where there is a C++ compiler; pyproject.toml says all the rest."""

import sysconfig
from pathlib import Path

from setuptools import Extension, setup

CORE = Path("src/automorph/native/core")
# The library is loaded with ctypes and knows nothing of Python, so one build fits all versions.
ANY_PYTHON = not sysconfig.get_config_var("Py_GIL_DISABLED")
WINDOWS = sysconfig.get_platform().startswith("win")
# Contracted multiply-adds would change pixels; a plain C++ compiler is all that is needed.
FLAGS = ["/std:c++17", "/O2", "/fp:precise"]
if not WINDOWS:
    FLAGS = ["-std=c++17", "-O3", "-g0", "-ffp-contract=off", "-fno-math-errno"]
    FLAGS += ["-fno-trapping-math", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"]

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
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if ANY_PYTHON else {},
)
