# Frozen modules: which there are, what their specs say, and what importing them gives.
import _imp
import importlib
import importlib.machinery
import os
import sys

LIBRARY = os.path.dirname(os.__file__)


def shown(path):
    return path and path.replace(LIBRARY, "LIBRARY")


for name in _imp._frozen_module_names():
    data, is_package, origname = _imp.find_frozen(name, withdata=True)
    assert isinstance(data, memoryview) and data.readonly
    spec = importlib.machinery.FrozenImporter.find_spec(name)
    code = _imp.get_frozen_object(name)
    same = _imp.get_frozen_object(name, bytes(data))
    print(name, is_package, origname, _imp.is_frozen(name), _imp.is_frozen_package(name), code.co_filename,
          code.co_name, same == code, shown(spec.loader_state.filename), spec.loader_state.origname,
          spec.submodule_search_locations and [shown(path) for path in spec.submodule_search_locations])

for name in ("os", "abc", "site", "_frozen_importlib", "_frozen_importlib_external", "importlib.util"):
    module = importlib.import_module(name)
    print(module.__name__, module.__spec__.name, module.__spec__.origin, module.__loader__ is importlib.machinery.FrozenImporter,
          shown(module.__file__), repr(module))

import __hello_only__
import __phello__.ham.eggs
import __phello__.spam
import __hello_alias__
import __phello_alias__

for module in (__hello_only__, __phello__, __phello__.ham, __phello__.ham.eggs, __phello__.spam, __hello_alias__, __phello_alias__):
    print(module, shown(getattr(module, "__file__", "no file")), getattr(module, "initialized", None), module.__package__,
          [shown(path) for path in getattr(module, "__path__", ())])
    if hasattr(module, "main"):
        module.main()

for name in ("nothing", "json"):
    print(_imp.find_frozen(name), _imp.is_frozen(name), _imp.init_frozen(name))
    for function in (_imp.get_frozen_object, _imp.is_frozen_package):
        try:
            function(name)
        except ImportError as error:
            print(repr(error), error.name, error.path)
try:
    _imp.get_frozen_object("os", b"")
except ImportError as error:
    print(error)

_imp._override_frozen_modules_for_tests(-1)
print(_imp._frozen_module_names())
print(importlib.machinery.FrozenImporter.find_spec("os"), importlib.machinery.FrozenImporter.find_spec("zipimport").origin)
_imp._override_frozen_modules_for_tests(0)
print(importlib.machinery.FrozenImporter.find_spec("os").origin)
