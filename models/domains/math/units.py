"""Plain words after a number: which of them name what is counted, and change no value."""

import re

_MOST_WORDS = 3
_COUNTED = re.compile(rf"([^A-Za-z]*[0-9%]\)?)((?: [A-Za-z]{{2,}}){{1,{_MOST_WORDS}}})")
# After a number these change it, or say that there is another: 5 million, 3 fourths, 2 pi, 5 or 6.
_CHANGING = frozenset((
    "million", "millions", "billion", "billions", "trillion", "trillions", "thousand",
    "thousands", "hundred", "hundreds", "dozen", "dozens", "score", "gross", "ten", "tens",
    "percent", "per", "percentage", "cent", "half", "halves", "third", "thirds", "quarter",
    "quarters", "fourth", "fourths", "fifth", "fifths", "sixth", "sixths", "seventh", "sevenths",
    "eighth", "eighths", "ninth", "ninths", "tenth", "tenths", "eleventh", "twelfth", "twelfths",
    "twentieth", "twentieths", "hundredth", "hundredths", "thousandth", "thousandths",
    "millionth", "millionths", "pi", "tau", "phi", "ln", "log", "exp", "sin", "cos", "tan",
    "sqrt", "root", "squared", "cubed", "factorial", "power", "powers", "point", "base", "mod",
    "modulo", "times", "plus", "minus", "over", "divided", "multiplied", "less", "fewer", "more",
    "and", "or", "to", "not", "if", "either", "neither", "between", "about", "approximately",
    "around", "almost", "nearly", "least", "most", "than", "remainder", "twice", "double",
    "triple", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    "inf", "infinity",
))  # fmt: skip


def without_unit(form: str) -> str | None:
    """Return the number of a normal form such as `18 dollars`, None where the words may change it.

    Words of one letter are variables, and more than three are no unit.
    """
    match = _COUNTED.fullmatch(form)
    if match is None or _CHANGING & set(match[2].lower().split()):
        return None
    return match[1]
