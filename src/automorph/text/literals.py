"""Parts of a text that are no words: tags, addresses, code, numbers with units (definition 2).

No operation changes a literal, and none is put into it. Each is one piece of its text.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TAG = r"""
    <!--.*?-->
  | <!\[CDATA\[.*?\]\]>
  | <[!?][A-Za-z][^<>]*>
  | <(?P<raw>script|style|code|pre)\b[^<>]*>.*?</(?P=raw)\s*>
  | </?[A-Za-z][\w:.-]*+(?:\s++[\w:@.-]++(?:\s*+=\s*+(?:"[^"]*"|'[^']*'|[^\s"'<>]++))?+)*+\s*+/?>
"""
_ENTITY = r"&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_CODE = r"""
    ```.*?```
  | ``[^`]+``
  | `[^`\n]+`
"""
_LINK = r"""
    \]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+"[^"\n]*")?\)
  | \]\[[^\]\n]*\]
  | ^[ \t]*\[[^\]\n]+\]:[ \t]*\S+
"""
_LINE = r"^[ \t]*(?:\#{1,6}|[-*+•]|>+|\d{1,3}[.)])(?=[ \t]|$)"
"""What makes a line a heading, an item of a list or a quotation in Markdown."""
_NO_ADDRESS = r"\s<>\"\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef"
_ADDRESS = rf"""
    (?<!\w)[\w.%+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+
  | (?:(?<!\w)[A-Za-z][A-Za-z0-9+.-]{{0,15}}://|(?<!\w)www\.|(?<!\w)mailto:)
    [^{_NO_ADDRESS}]*[^{_NO_ADDRESS}'’”»`.,;:!?…()\[\]{{}}*_|]
  | (?<![\w.-])(?:[A-Za-z0-9-]+\.)+(?:com|org|net|edu|gov|io|info)(?![\w-])
    (?:/[^{_NO_ADDRESS}]*[^{_NO_ADDRESS}'’”»`.,;:!?…()\[\]{{}}*_|])?
"""
_NUMBER = r"\d+(?:[.,:/]\d+)*"
_UNITS = r"""
    [kKMGTcmdnµμ]?(?:m|g|l|L|s|W|V|A|Hz|Pa|J|N|B|Wh|bit|bits|byte|bytes|eV|mol|Ω)(?:[²³]|\^[23])?
  | k?cal|h|hrs?|mins?|secs?|ft|inch|inches|mi|mph|yd|yards?|lbs?|oz|pt|px|r?em|dpi|rpm|pp[mb]|ha
  | (?:milli|micro|centi|kilo|mega|giga)?(?:met(?:er|re)|gram|lit(?:er|re)|watt|volt|hertz|byte)s?
  | seconds?|minutes?|hours?|[ap]m|days?|weeks?|months?|years?
  | miles?|feet|pounds?|dollars?|euros?|cents?
  | percent|degrees?|times|millions?|billions?|USD|EUR|GBP|JPY|CHF|CNY|INR
  | км|кг|см|мм|руб|рублей|كم|كغ|سم|किमी|किग्रा|रुपये
"""
_SPACELESS = r"\u0e01-\u0e4e\u3041-\u30ff\u3400-\u9fff"
"""Letters that numbers follow without a space: those of Thai, Japanese and Chinese."""
_SYMBOLS = "%|‰|°\\s?[CFK]?|[€$£¥₹₩₽฿]|℃|℉|″|′"
_SPACELESS_UNITS = (
    "公斤|公里|公分|厘米|毫米|千克|美元|万元|キロ|センチ|メートル|グラム|ドル|万円"
    "|[米元円年月日天个個人时時分秒度岁歳块塊]|กิโลเมตร|กิโลกรัม|เมตร|บาท|กม|กก"
)
_QUANTITY = rf"""
    (?:(?<![\w.,])|(?<=[{_SPACELESS}]))[+−-]?{_NUMBER}(?:\s?[-–×x]\s?{_NUMBER})*
    (?:\s?(?:{_SYMBOLS})|\s?(?:{_SPACELESS_UNITS})|[\s-]?(?:{_UNITS})(?:/(?:{_UNITS}))?(?!\w))
  | [€$£¥₹₩₽฿]\s?{_NUMBER}(?:\s?(?:k|m|bn|M|K|million|billion|thousand)(?!\w))?
"""
_INSIDE = r"\w+(?:&(?:\#0*39|\#[xX]27|apos|rsquo|\#8217);\w+)+"
"""A word whose apostrophe is an entity."""

_LITERAL = re.compile(
    "|".join((_TAG, _CODE, _LINK, _LINE, _ADDRESS, _INSIDE, _ENTITY, _QUANTITY)),
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_SIGNS = re.compile(
    r"[<&@`\]\d]|://|www\.|mailto:|^[ \t]*[-*+•#>]|\w\.(?:com|org|net|edu|gov|io|in)", re.M
)
"""A text without any of these holds no literal."""
_STRUCTURE = re.compile(
    "|".join((_TAG, _CODE, _LINK, _LINE)), re.VERBOSE | re.DOTALL | re.MULTILINE
)


def literals_in(text: str) -> list[tuple[int, int]]:
    """Return where the literals of a text begin and end, in order.

    >>> text = "<b>See</b> a@b.org &amp; pay 5 kg."
    >>> [text[start:end] for start, end in literals_in(text)]
    ['<b>', '</b>', 'a@b.org', '&amp;', '5 kg']
    """
    if not _SIGNS.search(text):
        return []
    return [match.span() for match in _LITERAL.finditer(text) if match.group().strip()]


@lru_cache(maxsize=1 << 16)
def is_literal(word: str) -> bool:
    """Return whether a piece without its white space is a literal.

    >>> is_literal("<br />"), is_literal("3.5 km/h"), is_literal("film")
    (True, True, False)
    """
    return _LITERAL.fullmatch(word) is not None


@lru_cache(maxsize=1 << 16)
def is_structure(word: str) -> bool:
    """Return whether a literal belongs where it stands: a tag, a link, code, the mark of a line.

    >>> is_structure("</p>"), is_structure("https://example.org")
    (True, False)
    """
    return _STRUCTURE.fullmatch(word) is not None
