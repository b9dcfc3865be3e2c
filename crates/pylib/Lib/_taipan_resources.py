"""The data files of the embedded library, for `importlib.resources`."""

import contextlib
import io
import os
import shutil
import tempfile
from importlib.resources import as_file
from importlib.resources.abc import Traversable, TraversableResources
from pathlib import Path

import _taipan_library as _library


class EmbeddedPath(Traversable):
    """A file or directory of the library."""

    def __init__(self, path):
        self._path = path

    @property
    def name(self):
        return self._path.rpartition("/")[2]

    def is_dir(self):
        return not self._path or _library.exists(self._path) == 2

    def is_file(self):
        return _library.exists(self._path) == 1

    def iterdir(self):
        if not self.is_dir():
            raise NotADirectoryError(20, "Not a directory", self._path)
        for name in _library.list(self._path):
            yield self / name

    def joinpath(self, *descendants):
        parts = [part for path in descendants for part in str(path).split("/") if part]
        return EmbeddedPath("/".join(filter(None, [self._path, *parts])))

    def __truediv__(self, child):
        return self.joinpath(child)

    def read_bytes(self):
        data = _library.read(self._path)
        if data is None:
            raise FileNotFoundError(2, "No such file or directory", self._path)
        return data

    def read_text(self, encoding=None, errors="strict"):
        with self.open("r", encoding=encoding, errors=errors) as file:
            return file.read()

    def open(self, mode="r", *args, **kwargs):
        file = io.BytesIO(self.read_bytes())
        if "b" in mode:
            return file
        kwargs["encoding"] = io.text_encoding(kwargs.get("encoding"))
        return io.TextIOWrapper(file, *args, **kwargs)

    def __repr__(self):
        return f"EmbeddedPath({self._path!r})"


@as_file.register
@contextlib.contextmanager
def _as_file(path: EmbeddedPath):
    """A copy in a temporary directory, under its own name."""
    directory = tempfile.mkdtemp()
    try:
        yield _copy(path, Path(directory) / path.name)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _copy(source, target):
    if source.is_dir():
        os.mkdir(target)
        for child in source.iterdir():
            _copy(child, target / child.name)
    else:
        target.write_bytes(source.read_bytes())
    return target


class EmbeddedResources(TraversableResources):
    """The data files of one package."""

    def __init__(self, directory):
        self._directory = directory

    def files(self):
        return EmbeddedPath(self._directory)
