"""Check that a tag, the versions and dates in all files and the changelog agree before a release.

Run it with ``python tools/check_release.py v0.2.0``; it prints every fault and exits with 1 if
there is one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSIONS = {
    "pyproject.toml": r'^version = "(.*)"$',
    "src/automorph/_version.py": r'^__version__ = "(.*)"$',
    "CITATION.cff": r"^version: (.*)$",
}
"""The files that contain the version, and the pattern of that line."""


def main(tag: str, root: Path = ROOT) -> int:
    """Print every fault and return the exit status."""
    found = faults(tag, root)
    print("\n".join(found) or f"{tag}: ready to be released")
    return bool(found)


def faults(tag: str, root: Path = ROOT) -> list[str]:
    """List the faults that block a release of the tag, one sentence each."""
    version = tag.removeprefix("v")
    if not re.fullmatch(r"v\d+\.\d+\.\d+((a|b|rc)\d+)?", tag):
        return [f"got the tag {tag!r}; expected one such as v0.2.0; tag the commit again"]
    result = []
    for name, pattern in VERSIONS.items():
        line = re.search(pattern, (root / name).read_text("utf-8"), re.MULTILINE)
        named = line[1] if line else "no version"
        if named != version:
            result.append(f"{name} names {named}; expected {version}; change the file or the tag")
    heading = rf"^## {re.escape(version)} - (\d{{4}}-\d\d-\d\d)$"
    section = re.search(heading, (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    if not section:
        result.append(f"CHANGELOG.md has no heading '## {version} - DATE'; date the new section")
    elif f"\ndate-released: {section[1]}\n" not in (root / "CITATION.cff").read_text("utf-8"):
        result.append(
            f"CITATION.cff has another date or none; expected 'date-released: {section[1]}' as in "
            "CHANGELOG.md; change either"
        )
    return result


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/check_release.py TAG")
    sys.exit(main(sys.argv[1]))
