//! Undoes, in the library's source tree, what was changed there for another interpreter, adapts what looks for its own
//! files on the disk, and corrects what later releases of CPython 3.14 have corrected.

use std::collections::BTreeMap;

/// In `path`, the text from `from` to the end of the next `through` becomes `to`.
pub struct Edit {
    path: &'static str,
    from: &'static str,
    through: &'static str,
    to: &'static str,
}

pub const EDITS: &[Edit] = &[
    Edit {
        path: "_compat_pickle.py",
        from: "# NOTE: RUSTPYTHON exceptions",
        through: "PYTHON2_EXCEPTIONS += (\"JitError\",)\n\n",
        to: "",
    },
    Edit { path: "io.py", from: "open, open_code, BytesIO", through: "", to: "open, open_code, FileIO, BytesIO" },
    Edit { path: "io.py", from: "# XXX: RUSTPYTHON; FileIO needs", through: "FileIO = None\n", to: "" },
    // Code objects do not change: the function gives another.
    Edit {
        path: "importlib/_bootstrap_external.py",
        from: "            _imp._fix_co_filename(code",
        through: "",
        to: "            code = _imp._fix_co_filename(code",
    },
    Edit {
        path: "io.py",
        from: "if FileIO is not None:",
        through: "    RawIOBase.register(FileIO)",
        to: "RawIOBase.register(FileIO)",
    },
    Edit {
        path: "json/decoder.py",
        from: "    # RUSTPYTHON SPECIFIC",
        through: "return cls(msg, doc, pos)\n\n",
        to: "",
    },
    // The source of "<frozen os>" and its like is in the binary too, and so are files of which only the name is known.
    // Others are in archives.
    Edit {
        path: "linecache.py",
        from: "        if lazy_entry is not None:\n",
        through: "return entry[2]\n",
        to: concat!(
            "        data = None\n",
            "        try:\n",
            "            if lazy_entry is not None:\n",
            "                data = lazy_entry[0]()\n",
            "        except (ImportError, OSError):\n",
            "            pass\n",
            "        try:\n",
            "            if data is None:\n",
            "                from importlib._taipan_importer import source\n",
            "                data = source(fullname)\n",
            "        except (ImportError, OSError, SyntaxError, UnicodeDecodeError):\n",
            "            pass\n",
            "        if data is not None:\n",
            "            lines = [line + '\\n' for line in data.splitlines()]\n",
            "            cache[filename] = len(data), None, lines, fullname\n",
            "            return lines\n",
        ),
    },
    // An object need not tell its class.
    Edit {
        path: "_py_abc.py",
        from: "        subclass = instance.__class__\n",
        through: "",
        to: "        subclass = getattr(instance, '__class__', type(instance))\n",
    },
    // Methods of built-in types have no module: it is that of the object they belong to.
    Edit {
        path: "annotationlib.py",
        from: "        if value.__module__ == \"builtins\":\n",
        through: "{value.__qualname__}\"\n",
        to: concat!(
            "        module = value.__module__\n",
            "        if module is None and (owner := getattr(value, '__self__', None)) is not None:\n",
            "            module = (owner if isinstance(owner, type) else type(owner)).__module__\n",
            "        if module in (None, \"builtins\"):\n",
            "            return value.__qualname__\n",
            "        return f\"{module}.{value.__qualname__}\"\n",
        ),
    },
    Edit {
        path: "code.py",
        from: "        except (OverflowError, SyntaxError, ValueError):\n",
        through: "",
        to: "        except Exception:\n",
    },
    Edit {
        path: "bdb.py",
        from: "        self._set_stopinfo(frame, frame, lineno)\n",
        through: "",
        to: "        self._set_stopinfo(frame, frame, lineno, cmdframe=frame, cmdlineno=frame.f_lineno)\n",
    },
    // A debugger does not debug itself.
    Edit {
        path: "bdb.py",
        from: "        self.stop_trace()\n        if frame is None:\n            frame = sys._getframe().f_back\n",
        through: "",
        to: concat!(
            "        self.stop_trace()\n",
            "        if frame is None:\n",
            "            frame = sys._getframe().f_back\n",
            "        if self.enterframe is not None:\n",
            "            return\n",
        ),
    },
    // Each one that is deleted takes itself out of the list.
    Edit {
        path: "bdb.py",
        from: "            for bp in blist:\n                bp.deleteMe()\n        del self.breaks[filename]",
        through: "",
        to: "            for bp in list(blist):\n                bp.deleteMe()\n        del self.breaks[filename]",
    },
    // Source can be wrong in other ways than in its syntax.
    Edit {
        path: "pdb.py",
        from: "                except SyntaxError:\n                    continue\n",
        through: "",
        to: "                except Exception:\n                    continue\n",
    },
    Edit {
        path: "pdb.py",
        from: "        except SyntaxError as exc:\n            return _rstr(",
        through: "",
        to: "        except Exception as exc:\n            return _rstr(",
    },
    Edit {
        path: "sysconfig/__init__.py",
        from: "re.compile(\"#define ([A-Z][A-Za-z0-9_]+) (.*)\\n\")",
        through: "",
        to: "re.compile(\"#define ((?:[A-Z]|_Py_)[A-Za-z0-9_]+) (.*)\\n\")",
    },
    Edit {
        path: "sysconfig/__init__.py",
        from: "re.compile(\"/[*] #undef ([A-Z][A-Za-z0-9_]+) [*]/\\n\")",
        through: "",
        to: "re.compile(\"/[*] #undef ((?:[A-Z]|_Py_)[A-Za-z0-9_]+) [*]/\\n\")",
    },
    // What has no truth value is a message all the same.
    Edit {
        path: "traceback.py",
        from: "        msg = self.msg or \"<no detail available>\"\n",
        through: "",
        to: concat!(
            "        msg = self.msg\n",
            "        try:\n",
            "            is_empty = not msg\n",
            "        except TypeError:\n",
            "            is_empty = False\n",
            "        if is_empty:\n",
            "            msg = \"<no detail available>\"\n",
        ),
    },
    Edit {
        path: "zipimport.py",
        from: "                    name = name.decode()\n",
        through: "",
        to: concat!(
            "                    try:\n",
            "                        name = str(name, 'utf-8')\n",
            "                    except UnicodeDecodeError as error:\n",
            "                        message = f\"can't decode file name in Zip file: {archive!r}\"\n",
            "                        raise ZipImportError(message, path=archive) from error\n",
        ),
    },
    // A file's name can have bytes that are no text.
    Edit {
        path: "pydoc.py",
        from: "            url = urllib.parse.quote(path)\n",
        through: "",
        to: "            from urllib.request import pathname2url\n            url = pathname2url(path)\n",
    },
    Edit {
        path: "pydoc.py",
        from: "    with open(name + '.html', 'w', encoding='utf-8') as file:\n",
        through: "",
        to: "    with open(name + '.html', 'w', encoding='utf-8', errors='backslashreplace') as file:\n",
    },
    Edit {
        path: "pydoc.py",
        from: "                self.path, content_type).encode('utf-8'))\n",
        through: "",
        to: "                self.path, content_type).encode('utf-8', 'backslashreplace'))\n",
    },
    Edit {
        path: "platform.py",
        from: "\n        # XXX: RUSTPYTHON support",
        through: "            name = 'CPython'",
        to: "        name = 'CPython'",
    },
    Edit { path: "site.py", from: "return 'RustPython'", through: "for site-packages", to: "return 'Python'" },
    Edit {
        path: "site.py",
        from: "    # XXX: RUSTPYTHON\n",
        through: "lib/rustpython",
        to: "    return f'{userbase}/lib/python",
    },
    Edit {
        path: "sysconfig/__init__.py",
        from: "return 'RustPython'",
        through: "For site-packages",
        to: "return 'Python'",
    },
    // What is not a number is for `acquire` to refuse.
    Edit {
        path: "threading.py",
        from: "                if timeout > 0:\n                    gotit = waiter.acquire(True, timeout)\n",
        through: "                    gotit = waiter.acquire(False)\n",
        to: "                gotit = waiter.acquire(False) if timeout <= 0 else waiter.acquire(True, timeout)\n",
    },
    Edit {
        path: "queue.py",
        from: "        if timeout is not None and timeout < 0:\n",
        through: "if not self._count.acquire(block, timeout):\n",
        to: concat!(
            "        if block and timeout is not None and timeout < 0:\n",
            "            raise ValueError(\"'timeout' must be a non-negative number\")\n",
            "        if not self._count.acquire(block, timeout if block else None):\n",
        ),
    },
    // With the GIL and without it, it is one program, whose packages are in one place.
    Edit {
        path: "sysconfig/__init__.py",
        from: "    _CONFIG_VARS['abi_thread'] = 't' if _CONFIG_VARS.get('Py_GIL_DISABLED') else ''\n",
        through: "",
        to: "    _CONFIG_VARS['abi_thread'] = 't' if 't' in abiflags else ''\n",
    },
    // Test cases that are abstract are for others to derive from.
    Edit {
        path: "unittest/loader.py",
        from: "from fnmatch import fnmatch, fnmatchcase\n",
        through: "",
        to: "from fnmatch import fnmatch, fnmatchcase\nfrom inspect import isabstract\n",
    },
    Edit {
        path: "unittest/loader.py",
        from: "        if testCaseClass in (case.TestCase, case.FunctionTestCase):\n",
        through: "",
        to: "        if testCaseClass in (case.TestCase, case.FunctionTestCase) or isabstract(testCaseClass):\n",
    },
    Edit {
        path: "unittest/loader.py",
        from: "            obj = getattr(module, name)\n            if (\n                isinstance(obj, type)\n",
        through: "",
        to: "            obj = getattr(module, name)\n            if (\n                isinstance(obj, type)\n                and not isabstract(obj)\n",
    },
    Edit {
        path: "unittest/loader.py",
        from: "            name = parts[-1]\n            inst = parent(name)\n",
        through: "",
        to: concat!(
            "            name = parts[-1]\n",
            "            if isabstract(parent):\n",
            "                raise TypeError(f\"Cannot instantiate abstract test case {parent.__name__}\")\n",
            "            inst = parent(name)\n",
        ),
    },
    Edit {
        path: "unittest/__init__.py",
        from: "\n\n\n# XXX: RUSTPYTHON\n# This is very useful",
        through: "__unittest_expecting_failure__ = False\n    return test_item\n\n",
        to: "",
    },
    // The scripts are in the binary: they are copied from a directory made for that.
    Edit {
        path: "venv/__init__.py",
        from: "        path = os.path.abspath(os.path.dirname(__file__))\n        path = os.path.join(path, 'scripts')\n",
        through: "        self.install_scripts(context, path)\n",
        to: "        from importlib import resources\n        with resources.as_file(resources.files(__package__) / 'scripts') as path:\n            self.install_scripts(context, str(path))\n",
    },
];

/// Applies [`EDITS`]. One whose text is not there fails the build: then the tree has changed.
pub fn apply(files: &mut BTreeMap<String, Vec<u8>>) {
    for edit in EDITS {
        let content = files.get_mut(edit.path).unwrap_or_else(|| panic!("the library has no {}", edit.path));
        let text = std::str::from_utf8(content).expect("the library is UTF-8");
        let places: Vec<_> = text.match_indices(edit.from).collect();
        let [(start, _)] = places[..] else { panic!("{}: {:?} is there {} times", edit.path, edit.from, places.len()) };
        let rest = start + edit.from.len();
        let end = text[rest..].find(edit.through).unwrap_or_else(|| panic!("{}: no {:?}", edit.path, edit.through));
        let end = rest + end + edit.through.len();
        *content = [&text[..start], edit.to, &text[end..]].concat().into_bytes();
    }
}
