"""Texts in five scripts, HTML and Markdown, with what must survive any change of them."""

from __future__ import annotations

WHOLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "html": (
        '<p class="a b">The <b>old film</b> was good &amp; long.<br /><br />Don&#39;t miss the '
        "second one!</p><!-- not a word --> It is <a href='x?a=1&b=2'>here now</a>.",
        ('<p class="a b">', "<b>", "</b>", "&amp;", "<br /><br />", "Don&#39;t", "</p>",
         "<!-- not a word -->", "<a href='x?a=1&b=2'>", "</a>"),
    ),
    "markdown": (
        "# A good title\n\n1. The **first** point, see [the whole page](docs/a(b).md).\n"
        "- Run `pip install it` now. It works. It is fine.\n\n```\nx = 1. y = 2\n```\n> He said.",
        ("#", "\n\n1.", "**", "](docs/a(b).md)", "\n-", "`pip install it`",
         "\n\n```\nx = 1. y = 2\n```", "\n>"),
    ),
    "addresses": (
        "See https://example.org/find?q=cat&n=2 for it. Write to jane.doe+x@mail.example.co.uk, or "
        "look at www.example.com/a_(b)/c. Fine! (It was good there, see N.Y.C.) Or was it?",
        ("https://example.org/find?q=cat&n=2", "jane.doe+x@mail.example.co.uk",
         "www.example.com/a_"),
    ),
    "numbers": (
        "It took 3.5 hours and 12 km/h at -4 °C. They paid $1,299.99 (5 % less) for 2.5kg. So far "
        "so good. We rode 10-12 miles then.",
        ("3.5 hours", "12 km/h", "-4 °C", "$1,299.99", "5 %", "2.5kg", "10-12 miles"),
    ),
    "arabic": ("هذا الفيلم رائع جدا، أليس كذلك؟ طوله 3 كم فقط.", ("،", "؟", "3 كم")),
    "hebrew": ("הסרט הזה טוב מאוד, צה״ל אמר. באמת טוב!", (",", "!")),
    "devanagari": ("यह फिल्म बहुत अच्छी है। मुझे 5 किमी चलना पड़ा।", ("।", "5 किमी")),
    "greek": ("Η ταινία είναι καλή; Ναι, είναι πολύ καλή. Αξίζει 5 €.", (";", "5 €")),
    "cyrillic": ("Этот фильм очень хорош: «да, конечно». Он длится 90 минут — и всё…",
                 ("«", "»", "—", "…")),
    "chinese": ("这部电影非常好看，我很喜欢！<b>导演</b>用了3个小时，票价是50元。"
                "（真的不错。）值得再看。",
                ("<b>", "</b>", "3个", "50元")),
    "japanese": ("この映画はとても面白かったです。「もう一度見たい」と思う。iPhoneで5キロ歩いた。",
                 ("「", "」", "5キロ")),
    "thai": ("ภาพยนตร์เรื่องนี้ดีมาก ฉันชอบมัน &amp; จ่าย 5 บาท", ("&amp;", "5 บาท")),
}  # fmt: skip
"""By name: a text, and the parts that are unchanged, in their order but for sentences."""
