"""Writes aliases.txt: the formal name aliases and named sequences of Unicode, as "NAME;CODE CODE ...".

Arguments: Perl's `unicore/Name.pl` and the UCD's `NamedSequences.txt`, both for Unicode 16.0. Only what the running
interpreter's `unicodedata.lookup` knows under a name that `unicodedata.name` does not give is written.
"""
import sys
import unicodedata

found = {}
blocks = open(sys.argv[1], encoding="utf-8").read().split("\n\n")
for block in blocks:
    lines = block.strip().splitlines()
    if len(lines) >= 2 and all(len(part) >= 5 for part in lines[-2].split()):
        found[lines[-1]] = True
for line in open(sys.argv[2], encoding="utf-8"):
    if line.strip() and not line.startswith("#"):
        found[line.split(";")[0].strip()] = True
written = []
for name in sorted(found):
    try:
        text = unicodedata.lookup(name)
    except KeyError:
        continue
    if len(text) > 1 or unicodedata.name(text, None) != name and not name.endswith("-%X" % ord(text)):
        written.append("%s;%s\n" % (name, " ".join("%04X" % ord(c) for c in text)))
open(sys.argv[3], "w").writelines(written)
