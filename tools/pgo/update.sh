#!/bin/sh
# Makes the profile anew with which release builds are optimised: builds a binary that counts, trains it, and writes
# tools/pgo/taipan.profdata, and tools/pgo/order, the functions that a start executes. Needs rustup's component llvm-tools. Takes about ten minutes.
#
# What it is trained with are this repository's programs and single statements, starts, and the compilation of some of the
# library: neither the benchmarks of others nor tests of CPython's.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
target=$root/target/pgo
tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
[ -x "$tools/llvm-profdata" ] || { echo "llvm-profdata is missing: rustup component add llvm-tools" >&2; exit 1; }

cd "$root"
TAIPAN_PGO=generate cargo build --release -p taipan-cli --target-dir "$target"
rm -rf "$target/raw" "$target/start" "$target/imports"
mkdir -p "$target/raw" "$target/start" "$target/imports"
export LLVM_PROFILE_FILE="$target/raw/%4m.profraw"
taipan=$target/release/taipan

echo "single statements"
"$taipan" bench/micro/micro.py 0.02 > "$target/micro.txt"
echo "programs"
(
    cd tests/programs
    for program in *.py lifetimes/*.py; do
        input=${program%.py}.in
        [ -f "$input" ] || input=/dev/null
        # Some end with an error, as they should.
        timeout 120 "$taipan" "$program" < "$input" > "$target/program.txt" 2>&1 || true
    done
)
for program in bench/programs/*.py; do
    timeout 120 "$taipan" "$program" 0.3 > "$target/program.txt" 2>&1 || true
done
echo "the same in two threads without the GIL"
for program in bench/programs/*.py; do
    PYTHON_GIL=0 timeout 120 "$taipan" tools/pgo/threads.py "$program" 0.2 > "$target/program.txt" 2>&1 || true
done
PYTHON_GIL=0 timeout 120 "$taipan" tests/threads/stress.py --minutes 0.2 > "$target/program.txt" 2>&1
echo "starts and the library"
"$taipan" tools/pgo/library.py
for _ in 1 2 3 4 5; do
    export LLVM_PROFILE_FILE="$target/start/%4m.profraw"
    "$taipan" -c pass
    "$taipan" -S -I -c pass
    export LLVM_PROFILE_FILE="$target/imports/%4m.profraw"
    "$taipan" -c "import asyncio, json, re, typing, dataclasses, unittest"
done

export LLVM_PROFILE_FILE=/dev/null
"$tools/llvm-profdata" merge --sparse -o tools/pgo/taipan.profdata \
    "$target"/raw/*.profraw "$target"/start/*.profraw "$target"/imports/*.profraw
"$tools/llvm-profdata" merge --sparse --text -o "$target/all.txt" tools/pgo/taipan.profdata
for part in start imports; do
    "$tools/llvm-profdata" merge --sparse --text -o "$target/$part.txt" "$target/$part"/*.profraw
done
"$taipan" tools/pgo/order.py "$target/start.txt" "$target/imports.txt" "$target/all.txt" > tools/pgo/order
"$tools/llvm-profdata" show tools/pgo/taipan.profdata | head -2
# cargo does not know that what it has built depends on the profile; and what was built with another one cannot be linked with
# what is built with this, dependencies included.
cargo clean --release
