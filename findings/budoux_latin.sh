#!/bin/bash
# BudouX 0.10.1 (0.10.0 too): Latin words within Chinese texts.
#
# Good guess: a segmenter for Chinese divides the Chinese, and leaves a Latin word such as Python or HDMI whole.
# Seen: the models look at neighbouring characters alone, of any script: the simplified Chinese model divides Python
# into Py and thon, and joins the first or last letter of WiFi and HDMI to the Chinese word beside it. Google, iPhone
# and USB stay whole. The Japanese and Thai models keep all of these whole.
# An operation on words (deletion, swap, synonyms) therefore leaves halves of names in a text.
# Automorph hands over runs of Chinese, Japanese and Thai letters only (text/spaceless.py).
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" budoux==0.10.1
"$folder/env/bin/python" - <<'PYTHON'
import sys

import budoux

CHINESE = {
    "我用Python写代码": ("Python", False), "请打开WiFi设置": ("WiFi", False), "他买了HDMI线": ("HDMI", False),
    "她在Google工作": ("Google", True), "这台iPhone很贵": ("iPhone", True),
}
JAPANESE = {"私はPythonでプログラムを書きます。": "Python", "WiFiの設定を開いてください。": "WiFi"}
print("budoux", budoux.__version__)
as_seen = True
chinese, japanese = budoux.load_default_simplified_chinese_parser(), budoux.load_default_japanese_parser()
for text, (word, expected) in CHINESE.items():
    words = chinese.parse(text)
    print(word, words)
    as_seen &= (word in words) == expected
for text, word in JAPANESE.items():
    words = japanese.parse(text)
    print(word, words)
    as_seen &= any(word in part for part in words)
sys.exit(0 if as_seen else 1)
PYTHON
