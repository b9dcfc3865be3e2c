"""What decompressors leave over, and buffers of streams opened one after the other."""

import bz2
import io
import lzma
import os
import tempfile
import zlib

packed = zlib.compress(b"data" * 1000)

# What follows the stream is kept, and is one object.
d = zlib.decompressobj()
print(len(d.decompress(packed + b"tail")), d.unused_data, d.unused_data is d.unused_data, d.unconsumed_tail, d.eof)
print(d.decompress(b" and more"), d.unused_data)
copy = zlib.decompressobj().copy()
print(copy.unused_data, copy.unconsumed_tail, copy.eof)

# With a limit, input is left over.
d = zlib.decompressobj()
print(len(d.decompress(packed + b"rest", 100)), len(d.unconsumed_tail) > 0, d.unused_data)
tail = d.unconsumed_tail
print(len(d.decompress(tail, 100)), d.unused_data)
print(len(d.flush()), d.unused_data, d.unconsumed_tail, d.eof)

for make, pack in ((bz2.BZ2Decompressor, bz2.compress), (lzma.LZMADecompressor, lzma.compress)):
    packed = pack(b"data" * 1000)
    d = make()
    print(d.needs_input, d.unused_data)
    print(len(d.decompress(packed[:20])), d.needs_input, d.eof)
    print(len(d.decompress(packed[20:] + b"tail", 10)), d.needs_input, d.eof)
    print(len(d.decompress(b"")), d.eof, d.unused_data, d.unused_data is d.unused_data)
    try:
        d.decompress(b"x")
    except EOFError as error:
        print(error)

# A stream shows nothing of what another one had in its buffer.
folder = tempfile.mkdtemp()
first, second = os.path.join(folder, "first"), os.path.join(folder, "second")
with open(first, "wb") as file:
    file.write(b"secret" * 1000)
with open(second, "wb") as file:
    file.write(b"ab")
    file.seek(10)
    file.write(b"cd")
with open(second, "rb") as file:
    print(file.peek(100), file.read(3), file.read(), file.read())
with open(second, "r+b") as file:
    file.seek(20)
    file.write(b"ef")
    file.seek(5)
    print(file.read(100), file.peek(10), file.tell())
streams = [open(first, "rb") for _ in range(3)]
print([stream.read(4) for stream in streams])
for stream in streams:
    stream.close()
with open(second, "rb", buffering=8) as file:
    print(file.read(3), file.peek(), file.readinto(bytearray(30)))
with open(second, "rb") as file:
    one = bytearray(4)
    print(file.readinto(one), one, io.BufferedReader(io.FileIO(first)).read(7))
os.remove(first)
os.remove(second)
os.rmdir(folder)
