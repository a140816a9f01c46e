#!/usr/bin/env python3
"""Writes Tests/TokenizersTests/Fixtures/patterns.json: patterns of tokenizer.json, a text, and the pieces that the tokenizers library (with
Oniguruma) splits it into by a behavior; null where it does not load the pattern.

The patterns are those in which Oniguruma and PCRE2 differ, those of published tokenizers, and the constructs that few files have.
"""

import json
import os

from tokenizers import Regex, pre_tokenizers

OUT = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "TokenizersTests", "Fixtures", "patterns.json"
)

GPT4 = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
DEEPSEEK = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PROSE = "The  DOG's 12345 naïve\u180ee\u0301 世界… isn't\n\n\tit?\u0085 x_1‿y \u200d(a|b)[c] ſ'S \u2003end "
CASES = [(pattern, PROSE) for pattern in (GPT4, LLAMA3, BLOOM, DEEPSEEK)] + [
    ("^a", "a\na"),
    ("a$", "a\na"),
    (r"a\z", "a\na"),
    (r"a\Z", "a\n"),
    (r"\h+", "12 fg\t"),
    (r"\H", "1g"),
    (r"[\h_]+", "ab_g"),
    (r"[a-z&&[^aeiou]]+", "abcde&"),
    ("[a[bc]]+", "abc]"),
    ("[^a[bc]]+", "xabc]"),
    ("[a[^b]]", "ab"),
    ("(?m)a.b", "a\nb"),
    ("a(?m:.)b", "a\nb"),
    ("(?s)a.b", "a\nb"),
    ("(?i)ab", "AB"),
    ("x|a(?i)b|c", "aBC"),
    (r"\w+", PROSE),
    (r"\W+", PROSE),
    (r"[\w-]+", PROSE),
    (r"[^\w]+", PROSE),
    (r"\b", "ab cd"),
    (r"\bcd", "abcd cd"),
    (r"\Bd", "cd d"),
    (r"\s+", PROSE),
    (r"\S+", PROSE),
    (r"[\S]+", PROSE),
    (r"\d+", "1２²"),
    (r"\D", "1a"),
    (r"\R", "a\r\nb"),
    (r"\X", "e\u0301x"),
    (r"\N+", "a\nb"),
    (r"\O", "a\n"),
    (r"\v", "\x0b\n"),
    (r"\e", "\x1b"),
    (r"[[:alpha:]]+", "éa1ⅷ"),
    (r"[[:digit:]]+", "1２a"),
    (r"[[:space:]]+", "a \u180e"),
    (r"[[:punct:]]+", "!$+<^`|~a"),
    (r"[[:upper:]]+", "Aé"),
    (r"[[:^alpha:]]+", "a1"),
    (r"[[:word:]]+", "a_1 "),
    (r"[[:xdigit:]]+", "ag"),
    (r"\p{Alpha}+", "é1"),
    (r"\p{Han}+", "世界a"),
    (r"\p{^L}+", "a1"),
    (r"\P{L}+", "a1"),
    (r"\p{Latin}+", "aé1"),
    (r"\pL", "a1"),
    (r"\p{Emoji}", "😀a"),
    (r"\x{e9}", "é"),
    (r"\xe9", "é"),
    (r"\x41", "A"),
    (r"\u00e9", "é"),
    (r"(?<n>a)\k<n>", "aaa"),
    (r"(a)\1", "aab"),
    (r"\g<1>", "a"),
    ("a++b", "aab"),
    ("a{,2}b", "aab a{,2}b"),
    ("a{2,}+", "aaaaa"),
    ("a{1,2}+", "aaaaa"),
    ("a{2}?", "aaa"),
    ("a{x}", "a{x}"),
    ("{a}", "{a}"),
    ("(?<=a)b", "abb"),
    ("(?<!a|bc)b", "ab bcb"),
    ("(?>a+)b", "aab"),
    (r"a\Kb", "ab"),
    (r"\G", "a"),
    (r"\C", "é"),
    (r"\Qa.\E", "a."),
    ("(?|(a)|(b))", "a"),
    ("(?~ab)", "xxab"),
    (r"\y", "e\u0301 a"),
    ("(?#x)a", "a"),
    ("(?P<n>a)", "a"),
    ("(*FAIL)", "a"),
    ("(?x) a b", "ab"),
    ("[]a]", "a]"),
    (r"[\]a]", "a]"),
    ("[a-]", "a-"),
    (".", "\r\n"),
    ("a#b", "a#b"),
    (r"\\", "\\"),
    (r"[\^$.|]+", "^$.|"),
    (r"\p{N}{1,3}(?=(?:\p{N}{3})*$)", "1234567\n12345"),
    (r"(?i)k", "\u212a"),
    (r"\.", "a."),
    (r"[\b]", "\x08a"),
]


BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
# Patterns that match between two characters.
EMPTY = [
    ("(?=[A-Z])", "camelCaseWords"),
    ("(?<=[,.])", "a,b.c."),
    ("a*", "baac"),
    ("a*|b", "abb"),
    (",|(?=;)", "a,b;c"),
    (r"\b", "ab cd"),
]


def pieces(pattern, text, behavior):
    try:
        return [piece for piece, _ in pre_tokenizers.Split(Regex(pattern), behavior).pre_tokenize_str(text)]
    except Exception:
        return None


if __name__ == "__main__":
    with open(OUT, "w") as file:
        cases = [(p, t, "isolated") for p, t in CASES] + [(p, t, b) for p, t in EMPTY for b in BEHAVIORS]
        lines = [
            json.dumps({"pattern": p, "text": t, "behavior": b, "pieces": pieces(p, t, b)}, ensure_ascii=False)
            for p, t, b in cases
        ]
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
