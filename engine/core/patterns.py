"""OSC 1.0 address patterns: `?`, `*`, `[a-z]`, `[!a-z]`, `{foo,bar}`; none of them crosses a `/`."""

import re
from functools import lru_cache

_SPECIAL = frozenset("?*[]{}")


def is_pattern(address: str) -> bool:
    return any(c in _SPECIAL for c in address)


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> re.Pattern[str] | None:
    """A compiled matcher, or None where the pattern is broken (an open bracket): it matches nothing."""
    out, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == "?":
            out.append("[^/]")
        elif c == "*":
            # Runs of stars are one star: no catastrophic backtracking from the network.
            while i + 1 < len(pattern) and pattern[i + 1] == "*":
                i += 1
            out.append("[^/]*")
        elif c in "[{":
            end = pattern.find("]" if c == "[" else "}", i)
            if end < 0:
                return None
            out.append(_bracket(pattern[i + 1 : end]) if c == "[" else _braces(pattern[i + 1 : end]))
            i = end
        elif c in "]}":
            return None
        else:
            out.append(re.escape(c))
        i += 1
    try:
        return re.compile("".join(out))
    except re.error:
        return None


def matches(pattern: str, address: str) -> bool:
    """Does `address` match the whole of `pattern`?"""
    if pattern == address:
        return True
    if not is_pattern(pattern) or len(pattern) > 256 or pattern.count("*") > 8:
        return False
    compiled = matcher(pattern)
    return compiled is not None and compiled.fullmatch(address) is not None


def _bracket(inside: str) -> str:
    negated = inside.startswith("!")
    body = inside[1:] if negated else inside
    escaped = "".join(c if c == "-" else re.escape(c) for c in body)
    return f"[{'^/' if negated else ''}{escaped}]" if escaped else "(?!)"


def _braces(inside: str) -> str:
    return "(?:" + "|".join(re.escape(word) for word in inside.split(",")) + ")"
