"""Writes features/characters.npz, the table of character classes: `python -m declutter.training.characters`."""

from __future__ import annotations

import unicodedata

import numpy as np

from declutter.features.characters import FILE, ID

ALONE = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
)
SINGLE = {
    "period": ".。．।॥۔։።", "comma": ",，、،٬՝፣", "colon": ":：፡", "semicolon": ";；؛", "exclamation": "!！¡՜", "question": "?？¿؟՞;",
    "opening": "“„「『《〈‘‚", "closing": "”」』》〉’", "straight": '"＂', "guillemet": "«»‹›", "apostrophe": "'`´", "dash": "-‐‑‒–—―−~～",
    "bullet": "•·‣▪■□●○◦▶►▸∙・*", "bar": "|¦/\\｜／", "open bracket": "([{（［【〔", "close bracket": ")]}）］】〕", "at": "@＠",
    "copyright": "©®™℗", "percent": "%％‰", "ellipsis": "…", "arrow": "→←↑↓➔➜➤⇒⟶↗⬇", "hash": "#＃", "star": "★☆✩✰⭐",
}  # fmt: skip
BY_CATEGORY = {
    "Lu": "upper", "Lt": "upper", "Ll": "lower", "Lo": "caseless", "Lm": "caseless", "Mn": "mark", "Mc": "mark", "Me": "mark",
    "Nd": "digit", "Nl": "digit", "No": "digit", "Sc": "currency", "Pd": "dash", "Pi": "opening", "Pf": "closing",
    "Ps": "open bracket", "Pe": "close bracket", "So": "symbol", "Sk": "symbol", "Sm": "symbol",
}  # fmt: skip


def main() -> None:
    """Classifies the basic plane with this Python's own Unicode tables."""
    classes, lower = np.zeros(0x10000, np.uint8), np.arange(0x10000, dtype=np.uint16)
    for point in range(0x10000):
        character = chr(point)
        category = unicodedata.category(character)
        name = "space" if character.isspace() else BY_CATEGORY.get(category, "other")
        if name == "caseless" and any(a <= point <= b for a, b in ALONE):
            name = "alone"
        classes[point] = ID[name]
        small = character.lower()
        if len(small) == 1:
            lower[point] = ord(small)
        if category == "Nd":
            lower[point] = ord("0")
    for name, symbols in SINGLE.items():
        for symbol in symbols:
            if ord(symbol) < 0x10000 and classes[ord(symbol)] not in (ID["lower"], ID["upper"]):
                classes[ord(symbol)] = ID[name]
    classes[0xFFFF] = ID["symbol"]
    np.savez_compressed(FILE, classes=classes, steps=lower - np.arange(0x10000, dtype=np.uint16))


if __name__ == "__main__":
    main()
