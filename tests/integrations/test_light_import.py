"""Importing the package is cheap until one of its names is used."""

from __future__ import annotations

import subprocess
import sys


def test_the_room_imports_nothing_heavy() -> None:
    program = (
        "import sys, automorph.integrations as adapters\n"
        "assert not {'torch', 'datasets', 'PIL', 'numpy'} & set(sys.modules)\n"
        "assert adapters.Augmented.__name__ == 'Augmented'\n"
        "assert 'datasets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
