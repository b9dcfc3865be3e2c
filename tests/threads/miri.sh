#!/usr/bin/env bash
# Runs the object layer's tests of threads under Miri, which finds data races and uses of freed memory in counts, cells, the heap
# and parking (nightly compiler with miri and rust-src):
#
#     tests/threads/miri.sh [SEEDS]
#
# The heap makes objects of integers' addresses, headers lie before what pointers to objects point to, and words of a free
# block are read in other sizes than they were written: hence no rules of aliasing and no store buffers.
set -euo pipefail
cd "$(dirname "$0")/../.."
export MIRIFLAGS="-Zmiri-permissive-provenance -Zmiri-disable-stacked-borrows -Zmiri-disable-validation \
    -Zmiri-disable-weak-memory-emulation -Zmiri-disable-isolation -Zmiri-ignore-leaks"
for ((seed = 0; seed < ${1:-4}; seed++)); do
    MIRIFLAGS="$MIRIFLAGS -Zmiri-seed=$seed" cargo +nightly miri test --target-dir target/miri -p taipan-object \
        --features free-threading --test parallel --lib -- parking what who counts cell
done
