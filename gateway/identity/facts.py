"""Facts: the sentences, in English and Chinese, that say how far one field of two records agrees."""

_LEVELS: dict[str, dict[str, tuple[str, str]]] = {
    "name": {
        "same": ("The names are the same.", "姓名相同。"),
        "sound": ("The names sound the same but are written differently.", "姓名同音不同字。"),
        "damaged": ("What can be read of a damaged name fits the other.", "一方姓名有乱码，可辨认部分与另一方相符。"),
        "partial": (
            "Too little can be read of a damaged name to say more than that it fits.",
            "一方姓名乱码严重，仅知不矛盾。",
        ),
        "close": ("The names differ in one character or a part.", "姓名仅一字之差或部分相同。"),
        "apart": ("The names differ.", "姓名不同。"),
    },
    "birth": {
        "same": ("The birth dates are the same.", "出生日期相同。"),
        "partial": (
            "One birth date is only part of a date and fits the other.",
            "一方出生日期不完整，与另一方不矛盾。",
        ),
        "close": (
            "One birth date may be the other one mistyped, swapped, lunar, rough or a year off.",
            "出生日期相近，可能是误录、月日颠倒、农历、估填或相差一年。",
        ),
        "apart": ("The birth dates differ.", "出生日期不同。"),
    },
    "sex": {
        "same": ("The sexes are the same.", "性别相同。"),
        "apart": ("The sexes differ.", "性别不同。"),
    },
    "resident": {
        "same": ("Both bear the same valid resident ID number.", "双方有效身份证号相同。"),
        "close": (
            "Their valid resident ID numbers differ in one or two characters.",
            "双方有效身份证号仅一两位不同。",
        ),
        "apart": ("They bear different valid resident ID numbers.", "双方有效身份证号不同。"),
    },
    "spoiled": {
        "same": ("Both bear the same resident ID number, which is not a valid one.", "双方身份证号相同，但号码无效。"),
        "close": (
            "A damaged resident ID number is one or two characters from the other.",
            "一方身份证号有误，与另一方仅一两位不同。",
        ),
        "partial": (
            "What is left of a masked or rounded resident ID number fits the other.",
            "一方身份证号被遮掩或尾数丢失，其余与另一方相符。",
        ),
        "apart": ("A damaged resident ID number does not fit the other.", "一方身份证号有误，且与另一方不符。"),
    },
    "document": {
        "same": ("Both bear the same number of an identity document.", "双方其他证件号码相同。"),
        "apart": ("They bear different numbers of one kind of document.", "双方同类证件号码不同。"),
    },
    "national": {
        "same": (
            "Both bear the same health-record, health-card or insurance number.",
            "双方健康档案号、健康卡号或医保号相同。",
        ),
        "apart": (
            "They bear different health-record, health-card or insurance numbers.",
            "双方健康档案号、健康卡号或医保号不同。",
        ),
    },
    "local": {
        "same": ("Both bear the same number of one series of the same site.", "双方在同一机构的同类号码相同。"),
    },
    "phone": {
        "same": ("They share a telephone number.", "双方有相同的电话号码。"),
        "apart": ("Their telephone numbers differ.", "双方电话号码不同。"),
    },
    "place": {
        "same": ("The addresses are the same.", "住址相同。"),
        "close": ("The addresses are nearly the same.", "住址基本相同。"),
        "partial": ("Only the township or village is known to agree.", "仅知乡镇或村相同。"),
        "apart": ("The addresses differ.", "住址不同。"),
    },
    "mother": {
        "same": ("Both name the same mother.", "双方登记的母亲相同。"),
        "apart": ("They name different mothers.", "双方登记的母亲不同。"),
    },
}

FACTS: dict[str, tuple[str, str]] = {
    f"{field}-{level}": told for field, levels in _LEVELS.items() for level, told in levels.items()
}
