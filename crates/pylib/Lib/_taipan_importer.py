"""Imports the modules of the embedded standard library: path hooks for its directory, and for archives."""

import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _external
import _taipan_library as _library
import sys

_directory = _library.directory


def _relative(path):
    """The path below the library's directory; None if it is not there."""
    if path == _directory:
        return ""
    if path.startswith(_directory + "/"):
        return path[len(_directory) + 1 :]
    return None


def _archived(path):
    """The content of a file in an archive that modules were looked for in; None if there is none."""
    finders = sys.path_importer_cache or {}
    archive = path
    while archive:
        archive = _external._path_split(archive)[0]
        read = getattr(finders.get(archive), "get_data", None)
        if read is not None:
            try:
                return read(path)
            except (ImportError, OSError):
                pass
    return None


def source(path):
    """The text of a file of the library, or in an archive."""
    relative = _relative(path)
    data = _library.read(relative) if relative else None
    if data is None:
        data = _archived(path)
    if data is None:
        raise OSError(2, "No such file or directory", path)
    return _external.decode_source(data)


class EmbeddedLoader(_external.FileLoader, _external.SourceLoader):
    """Loads a module whose source (and code) is in the binary."""

    def get_data(self, path):
        data = _library.read(_relative(path) or path)
        if data is None:
            raise OSError(2, "No such file or directory", path)
        return data

    def path_stats(self, path):
        raise OSError(2, "No such file or directory", path)

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        code = _library.code(_relative(path), path)
        _bootstrap._verbose_message("code object from {!r}", path)
        return code

    def get_resource_reader(self, name=None):
        from _taipan_resources import EmbeddedResources

        directory = _relative(self.path).rpartition("/")[0]
        return EmbeddedResources(directory)


class EmbeddedFinder:
    """Finds modules in one directory of the library; others, if the directory is on the disk too, there."""

    def __init__(self, path):
        relative = _relative(path)
        if _library.is_on_disk or relative is None or relative and _library.exists(relative) != 2:
            raise ImportError("not a directory of the embedded library", path=path)
        self.path = path
        self._prefix = relative + "/" if relative else ""
        self._files = None

    def find_spec(self, fullname, target=None):
        name = self._prefix + fullname.rpartition(".")[2]
        if _library.exists(name + "/__init__.py") == 1:
            path = _directory + "/" + name
            location = path + "/__init__.py"
            loader = EmbeddedLoader(fullname, location)
            return _external.spec_from_file_location(
                fullname, location, loader=loader, submodule_search_locations=[path]
            )
        if _library.exists(name + ".py") == 1:
            location = _directory + "/" + name + ".py"
            loader = EmbeddedLoader(fullname, location)
            return _external.spec_from_file_location(fullname, location, loader=loader)
        if self._files is None:
            self._files = _library.is_directory(self.path) and _external.FileFinder(
                self.path, *_external._get_supported_file_loaders()
            )
        return self._files.find_spec(fullname, target) if self._files else None

    def iter_modules(self, prefix=""):
        """The modules of the directory, for `pkgutil.iter_modules`: pairs of name and whether it is a package."""
        for name in sorted(_library.list(self._prefix[:-1])):
            is_package = _library.exists(self._prefix + name + "/__init__.py") == 1
            module = name if is_package else name.removesuffix(".py")
            if (is_package or module != name) and module != "__init__" and "." not in module:
                yield prefix + module, is_package

    def invalidate_caches(self):
        self._files = None

    def __repr__(self):
        return f"EmbeddedFinder({self.path!r})"


def zip_path_hook(path):
    """Loads `zipimport` when there is the first archive on the path, and gives way to it."""
    inner = path
    while inner and not _external._path_isfile(inner):
        if _external._path_isdir(inner):
            raise ImportError("not a Zip file", path=path)
        inner = _external._path_split(inner)[0]
    if not inner:
        raise ImportError("not a Zip file", path=path)
    from zipimport import zipimporter

    if zip_path_hook in sys.path_hooks:
        sys.path_hooks[sys.path_hooks.index(zip_path_hook)] = zipimporter
    return zipimporter(path)


def install():
    sys.path_hooks[:0] = [EmbeddedFinder, zip_path_hook]
