"""The compile side: tokenise, parse and compile every module of the standard library that can be found.

    compile.py [LIBRARY] [ROUNDS]

Run it by two interpreters with the same LIBRARY directory. Prints the processor time of the best round of each step, in
milliseconds, and how much source that was.
"""

import ast
import io
import os
import sys
import sysconfig
import time
import tokenize


def sources(library):
    """The texts of the library's modules, tests and packages from elsewhere left out."""
    found = []
    for directory, subdirectories, files in os.walk(library):
        subdirectories[:] = sorted(set(subdirectories) - {"test", "tests", "site-packages", "dist-packages", "idlelib"})
        for name in sorted(files):
            path = os.path.join(directory, name)
            # A package's link may point to a file that another one would bring.
            if name.endswith(".py") and os.path.exists(path):
                with tokenize.open(path) as file:
                    found.append((path, file.read()))
    return found


def compile_all(texts):
    for path, text in texts:
        compile(text, path, "exec", dont_inherit=True)


def parse_all(texts):
    for path, text in texts:
        ast.parse(text, path)


def tokenize_all(texts):
    for _, text in texts:
        for _ in tokenize.generate_tokens(io.StringIO(text).readline):
            pass


def best(rounds, step, texts):
    times = []
    for _ in range(rounds):
        start = time.process_time()
        step(texts)
        times.append(time.process_time() - start)
    return min(times) * 1000


def main():
    library = sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("stdlib")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    texts = sources(library)
    print(f"{len(texts)} modules, {sum(len(text) for _, text in texts)} characters")
    for name, step, part in [
        ("compile", compile_all, texts),
        ("ast.parse", parse_all, texts),
        ("tokenize", tokenize_all, texts[::8]),
    ]:
        print(f"{name:10} {best(rounds, step, part):9.1f} ms")


main()
