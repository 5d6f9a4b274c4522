"""Derive gateway/search/data/pinyin.json from PyPI pypinyin (MIT): how each character sounds, without tones.

Usage: python tools/derive_pinyin.py, with pypinyin installed. One reading a character, the commonest; characters that
sound otherwise as a surname are listed below with every reading a clerk may type.
"""

import json
from pathlib import Path

from pypinyin import Style, lazy_pinyin

TARGET = Path(__file__).resolve().parents[1] / "gateway" / "search" / "data" / "pinyin.json"
RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000))
# As a surname first, then as the character is read elsewhere.
SURNAMES = """
单 shan dan|曾 zeng ceng|解 xie jie|区 ou qu|仇 qiu chou|查 zha cha|朴 piao pu|盖 ge gai|乐 yue le|翟 zhai di
覃 qin tan|缪 miao mu|繁 po fan|召 shao zhao|洗 xian xi|员 yun yuan|种 chong zhong|折 she zhe|黑 he hei|能 nai neng
重 chong zhong|谌 chen shen|牟 mu mou|秘 bi mi|宓 mi fu|隗 wei kui|柏 bai bo|薄 bo bao|祭 zhai ji|郗 xi chi
藏 zang cang|尉 yu wei|万 wan mo|长 zhang chang|令 ling|费 fei bi|冼 xian|佴 nai er|逄 pang|晟 cheng sheng|角 jue jiao
车 che ju|贾 jia gu|石 shi dan|俞 yu shu|葛 ge|纪 ji|沈 shen chen|燕 yan|华 hua|任 ren|宁 ning|应 ying|曲 qu|撒 sa
"""


def main() -> None:
    """Write the table: syllable -> its characters, and surname -> its readings."""
    syllables: dict[str, list[str]] = {}
    for first, last in RANGES:
        for character in map(chr, range(first, last)):
            (sound,) = lazy_pinyin(character, style=Style.NORMAL, v_to_u=False, errors=lambda _: [""])
            if sound.isascii() and sound.isalpha():
                syllables.setdefault(sound.lower(), []).append(character)
    surnames = {entry[0]: entry[1:].split() for line in SURNAMES.split("\n") for entry in line.split("|") if entry}
    lines = [f'  {json.dumps(sound)}: "{"".join(held)}"' for sound, held in sorted(syllables.items())]
    others = [f'  "{name}": {json.dumps(sounds)}' for name, sounds in surnames.items() if len(sounds) > 1]
    parts = ["{", ' "syllables": {', ",\n".join(lines), " },", ' "surnames": {', ",\n".join(others), " }", "}", ""]
    TARGET.write_text("\n".join(parts), encoding="utf-8")
    print(f"{len(syllables)} syllables, {sum(map(len, syllables.values()))} characters, {len(others)} surnames")


if __name__ == "__main__":
    main()
