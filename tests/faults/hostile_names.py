"""Hostile names: markup, scripts, addresses, and delimiters that end the surrounding text."""

from __future__ import annotations

from itertools import product

_ENDS = (
    "", '"', "'", '">', "'>", "</td>", "</script>", "</style>", "</title>", "</textarea>", "-->",
    "]]>", "</svg>", "</code></pre>", "`", "</dt></dl>",
)  # fmt: skip
_DEEDS = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "<svg onload=window.hacked=1>",
    "<svg><script>window.hacked=1</script></svg>",
    "<body onload=window.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<iframe src=javascript:parent.hacked=1></iframe>",
    "<a href=javascript:window.hacked=1 autofocus onfocus=window.hacked=1>x</a>",
    "<input autofocus onfocus=window.hacked=1>",
    "<details open ontoggle=window.hacked=1>",
    "<video><source onerror=window.hacked=1></video>",
    "<object data='data:text/html,<script>window.hacked=1</script>'></object>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=1>",
    "<link rel=stylesheet href=http://hostile.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://hostile.example/'>",
    "<base href=http://hostile.example/>",
    "<form action=http://hostile.example><button autofocus>x</button></form>",
    "<style>@import 'http://hostile.example/x.css';</style>",
    " onmouseover=window.hacked=1 x=",
    " style=background:url(http://hostile.example/x) x=",
    "{{ 7 * 7 }}{% for x in ().__class__.__bases__ %}{{ x }}{% endfor %}",
    "${window.hacked=1}",
    "javascript:window.hacked=1",
    "<!--<img src='--><img src=x onerror=window.hacked=1>'>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "&#60;img src=x onerror=window.hacked=1&#62;",
    "\\u003cscript\\u003ewindow.hacked=1\\u003c/script\\u003e",
    "<scr\0ipt>window.hacked=1</scr\0ipt>",
    "\u202e<b>dehcakh</b>",
    "<ScRiPt>window.hacked=1</sCrIpT>",
    "<noscript><p title='</noscript><img src=x onerror=window.hacked=1>'>",
    "<template><script>window.hacked=1</script></template>",
)

NAMES = tuple(f"{number}{end}{deed}" for number, (end, deed) in
              enumerate(product(_ENDS, _DEEDS)))[:500]  # fmt: skip
