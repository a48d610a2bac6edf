"""Makes this case: prompts and what Wan's pipeline of diffusers 0.42.1 makes of them with ftfy 6.3.1.  Usage: python make.py"""

import json
from pathlib import Path

from diffusers.pipelines.wan.pipeline_wan import prompt_clean

here = Path(__file__).resolve().parent
plain = [
    "a red fox runs through snow", "  two   spaces \n and\tlines  ", "naïve café, crème brûlée", "Ünïcödé ÄÖÜ ß",
    "ПРИВЕТ мир, красная лиса", "一只猫坐在窗台上看着外面的雨", "猫が好きです。犬も好きです。", "빠른 갈색 여우", "السماء زرقاء", "שלום עולם",
    "नमस्ते दुनिया", "Ελληνικά αλεπού", "żółć gęślą jaźń", "İstanbul ışık", "ñandú ¿qué? ¡sí!", "smörgåsbord på Åland", "❤️ 👍🏽 🤖 robot",
    "👩‍👩‍👧‍👦 family", "5 €, £3, ¥7, 20 °C", "“curled” and ‘single’ quotes – dashes — and…", "«CAFÉ» et «déjà vu»", "x² + y³", "50% &c.",
    "AT&T and Q&A", "色调艳丽，过曝，静态，细节模糊不清", "Vivid tones，over－exposed　static", "ﬁne ﬂour ﬃ ĳ", "ＡＢＣ　１２３ ｱｲｳ", "line one\r\nline two\rthree",
    "soft\u00adhyphen nbsp\u00a0here", "zero\u200bwidth", "\ufeffbom", "bell\x07 and \x1b[31mred\x1b[0m text", "e\u0301 composed",
]
escaped = [
    "the monkey &amp; the dog", "&amp;amp; twice", "&lt;b&gt;bold&lt;/b&gt;", "<b>caf&eacute;</b> &amp;amp;", "&hellip; it&#x2019;s &#39;fine&#39;",
    "&copy 2024 &copyright &notit; &eacute", "&#128512; &#x1F600; &#0; &#150; &#xD800; &#99999999;", "&unknown; &; &# &#x; &", "&Alpha;&omega; &hearts;",
]
broken = [t.encode("utf-8").decode("latin-1") for t in plain[2:18] if all(ord(c) > 0 for c in t)]
for text in plain[2:18]:
    try:
        broken.append(text.encode("utf-8").decode("windows-1252"))
    except UnicodeDecodeError:
        pass
broken += [
    "in the cafÃ© ", "  the  monkey &amp;amp; the dog\n dance   in the cafÃ© ", "itâ€™s fine â€” reallyâ€¦", "âœ” No problems", "cafÃƒÂ© twice",
    "ðŸ˜€ smile and 猫", "good line\ncafÃ© line", "price: Â£5 and 20 Â°C",
]
strings = [{"text": t, "clean": prompt_clean(t)} for t in plain + escaped + broken]
(here / "strings.json").write_text(json.dumps({"strings": strings}, ensure_ascii=True, indent=0) + "\n")
description = {
    "case": here.name,
    "kind": "prompt",
    "what": "Prompts as Wan's pipeline cleans them: repaired encodings, HTML entities, white space. strings.json: text and clean; texts must be equal.",
    "reference": {"library": "diffusers 0.42.1, ftfy 6.3.1", "class": "prompt_clean"},
}
(here / "case.json").write_text(json.dumps(description, indent=1) + "\n")
