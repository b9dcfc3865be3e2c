"""Bytes and bits: checksums, a cipher, base64 by hand, struct-like packing, bytearrays, memory views."""

from harness import run

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def make_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0xEDB88320 if n & 1 else 0)
        table.append(n)
    return table


TABLE = make_table()


def crc(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def rc4(key, data):
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 255])
    return bytes(out)


def base64(data):
    out = bytearray()
    for at in range(0, len(data) - 2, 3):
        word = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
        out += bytes((ALPHABET[word >> 18], ALPHABET[word >> 12 & 63], ALPHABET[word >> 6 & 63], ALPHABET[word & 63]))
    return bytes(out)


def work():
    data = bytes((i * i + 7 * i) & 255 for i in range(12000))
    cipher = rc4(b"secret", data)
    assert rc4(b"secret", cipher) == data
    text = base64(cipher)
    view = memoryview(data)[100:4000:3]
    packed = b"".join(n.to_bytes(4, "little") for n in range(2000))
    numbers = [int.from_bytes(packed[i:i + 4], "little") for i in range(0, len(packed), 4)]
    pops = sum(bin(n).count("1") + n.bit_count() for n in range(3000))
    return crc(data), crc(cipher), text[:12], sum(view), sum(numbers), pops, data.find(b"\x08\x12"), packed.hex()[:16]


run(work)
