//! Undoes, in the library's source tree, what was changed there for another interpreter, and adapts what looks for its
//! own files on the disk.

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
    Edit {
        path: "linecache.py",
        from: "            lazy_entry = _make_lazycache_entry(filename",
        through: "module_globals)\n",
        to: "            lazy_entry = _make_lazycache_entry(fullname, module_globals)\n        if lazy_entry is None:\n            def embedded():\n                from importlib._taipan_importer import source\n                return source(fullname)\n            lazy_entry = (embedded,)\n",
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
