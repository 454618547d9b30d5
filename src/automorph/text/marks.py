"""Characters that are a piece of their own: punctuation of all scripts, and some symbols."""

from __future__ import annotations

_RANGES = """
21-2f 3a-40 5b-60 7b-7e a1-a9 ab-ac ae-b1 b4 b6-b8 bb bf d7 f7 37e 387 3f6 55a-55f 589-58a 58f
5be 5c0 5c3 5c6 5f3-5f4 606-60d 61b-61f 66a-66d 6d4 700-70d 7f7-7f9 7fe-7ff 830-83e 85e 964-965
970 9f2-9f3 9fb 9fd a76 af0-af1 bf9 c77 c84 df4 e3f e4f e5a-e5b f04-f12 f14 f3a-f3d f85 fd0-fd4
fd9-fda 104a-104f 10fb 1360-1368 1400 166e 169b-169c 16eb-16ed 1735-1736 17d4-17d6 17d8-17db
1800-180a 1944-1945 1a1e-1a1f 1aa0-1aa6 1aa8-1aad 1b5a-1b60 1b7d-1b7e 1bfc-1bff 1c3b-1c3f
1c7e-1c7f 1cc0-1cc7 1cd3 200e-2027 202a-202e 2030-205e 2066-2069 207a-207e 208a-208e 20a0-20c0
2118 2140-2144 214b 2190-2194 219a-219b 21a0 21a3 21a6 21ae 21ce-21cf 21d2 21d4 21f4-22ff
2308-230b 2320-2321 2329-232a 237c 239b-23b3 23dc-23e1 25b7 25c1 25f8-25ff 266f 2768-2775
27c0-27ff 2900-2aff 2b30-2b44 2b47-2b4c 2cf9-2cfc 2cfe-2cff 2d70 2e00-2e2e 2e30-2e4f 2e52-2e5d
3001-3003 3008-3011 3014-301f 3030 303d 30a0 30fb a4fe-a4ff a60d-a60f a673 a67e a6f2-a6f7 a838
a874-a877 a8ce-a8cf a8f8-a8fa a8fc a92e-a92f a95f a9c1-a9cd a9de-a9df aa5c-aa5f aade-aadf
aaf0-aaf1 abeb fb29 fd3e-fd3f fdfc fe10-fe19 fe30-fe6b ff01-ff0f ff1a-ff20 ff3b-ff40 ff5b-ff65
ffe0-ffee 10100-10102 1039f 103d0 1056f 10857 1091f 1093f 10a50-10a58 10a7f 10af0-10af6
10b39-10b3f 10b99-10b9c 10ead 10f55-10f59 10f86-10f89 11047-1104d 110bb-110bc 110be-110c1
11140-11143 11174-11175 111c5-111c8 111cd 111db 111dd-111df 11238-1123d 112a9 1144b-1144f
1145a-1145d 114c6 115c1-115d7 11641-11643 11660-1166c 116b9 1173c-1173e 1183b 11944-11946 119e2
11a3f-11a46 11a9a-11a9c 11a9e-11aa2 11c41-11c45 11c70-11c71 11ef7-11ef8 11fdd-11fe0 11fff
12470-12474 12ff1-12ff2 16a6e-16a6f 16af5 16b37-16b3b 16b44 16e97-16e9a 16fe2 1bc9f
"""
"""Code points of Unicode 14: punctuation (P), currency and mathematics (Sc, Sm), other symbols of
Latin-1 and the full-width forms, and the marks of the direction of writing.

They are listed, because the tables of Python differ between its versions, and a saved policy must
read a text alike under each.
"""


def _class() -> str:
    """Return the characters as the inside of a class of a regular expression."""
    ends = (one.partition("-") for one in _RANGES.split())
    return "".join(
        rf"\U{int(first, 16):08x}" + (rf"-\U{int(last, 16):08x}" if last else "")
        for first, _, last in ends
    )


MARKS = _class()
"""The inside of a class of a regular expression."""
FIRST_MARKS = r"!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3001-\u3003\u3008-\u301f"
"""Those of the first definition: ASCII's, Latin-1's and general punctuation."""
