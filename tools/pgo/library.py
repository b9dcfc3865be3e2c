"""What programs do with the library: reads, compiles and takes apart some of its modules, and moves data about."""

import argparse
import ast
import collections
import copy
import dataclasses
import difflib
import inspect
import io
import json
import logging
import pickle
import re
import textwrap
import tokenize
import typing

MODULES = [argparse, ast, collections, dataclasses, difflib, inspect, logging, textwrap, tokenize, typing]

for module in MODULES:
    source = inspect.getsource(module)
    tree = ast.parse(source)
    compile(source, module.__name__, "exec")
    ast.unparse(tree)
    ast.dump(tree)
    list(tokenize.generate_tokens(io.StringIO(source).readline))
    data = {"numbers": [1, 2.5, 10**20] * 50, "text": source[:5000], "flags": [None, True, False]}
    json.loads(json.dumps(data))
    json.dumps(data, indent=2)
    pickle.loads(pickle.dumps(data))
    copy.deepcopy(data)
    re.findall(r"\b(\w+)\s*=\s*(\w+)", source)
    re.sub(r"\s+", " ", source)
    lines = source.splitlines()[:200]
    list(difflib.unified_diff(lines, lines[3:] + lines[:3]))
