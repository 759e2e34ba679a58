#!/usr/bin/env python3
"""Checks that no block of more than 12 lines stands twice in services/ and crates/.

Lines are compared without indentation; empty lines and comments do not count. Names both places and exits 1.
`duplicates.py --self-test` shows that a repetition would be found.
"""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 12
ENDINGS = (".rs", ".sql", ".py", ".mjs", ".js")
COMMENTS = ("//", "--", "#!", "# ")

# A file's name, and its lines of code with their numbers.
Source = tuple[str, list[tuple[int, str]]]


def code_lines(text: str) -> list[tuple[int, str]]:
    """The lines that count, with their numbers."""
    stripped = ((number, " ".join(line.split())) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in stripped if line and not line.startswith(COMMENTS)]


def repetitions(sources: list[Source]) -> list[str]:
    """Where a window of LINES_MAX + 1 lines begins that stands elsewhere too, told once for each run of such windows."""
    windows = defaultdict(list)
    for name, lines in sources:
        for start in range(len(lines) - LINES_MAX):
            windows[tuple(line for _, line in lines[start:start + LINES_MAX + 1])].append((name, start))
    by_name = dict(sources)
    pairs = {(places[0], place) for places in windows.values() for place in places[1:]}
    found = []
    for (first, start), (second, at) in sorted(pairs):
        if ((first, start - 1), (second, at - 1)) not in pairs:
            found.append(f"{first}:{by_name[first][start][0]} stands again at {second}:{by_name[second][at][0]}")
    return found


def tracked() -> list[Source]:
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "services", "crates"],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    names = [name for name in names if name.endswith(ENDINGS) and (ROOT / name).is_file()]
    return [(name, code_lines((ROOT / name).read_text())) for name in names]


def self_test() -> None:
    block = "\n".join(f"let a{number} = {number};" for number in range(LINES_MAX + 1))
    twice = [("a.rs", code_lines(f"fn a() {{\n{block}\n}}")), ("b.rs", code_lines(f"// b\n\n    {block}\nend"))]
    assert repetitions(twice) == ["a.rs:2 stands again at b.rs:3"], repetitions(twice)
    shorter = [(name, lines[:LINES_MAX]) for name, lines in twice]
    assert repetitions(shorter) == [], repetitions(shorter)


def main() -> int:
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    found = repetitions(tracked())
    for place in found:
        print(place)
    if found:
        print(f"{len(found)} blocks of more than {LINES_MAX} lines stand twice: let one piece of code serve both places")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
