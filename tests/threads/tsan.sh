#!/usr/bin/env bash
# Looks for data races with the thread sanitizer: builds the interpreter with it (nightly compiler with rust-src; the standard
# library too, so that its locks are seen), then runs random programs of several threads without the GIL.
#
#     tests/threads/tsan.sh [SEED [PROGRAMS]]
#
# Every report is one of an access that nothing orders: it fails the run. Reports lie in target/tsan/reports.
set -euo pipefail
cd "$(dirname "$0")/../.."
seed=${1:-0} programs=${2:-20}
triple=$(rustc -vV | sed -n 's/^host: //p')
target=target/tsan

# Dependencies in C are not instrumented, so buffers have to come from an allocator that the sanitizer knows.
TAIPAN_PGO=off CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false RUSTFLAGS=-Zsanitizer=thread \
    cargo +nightly build -Zbuild-std --target "$triple" --target-dir "$target" \
    -p taipan-cli -p taipan-object --features taipan-object/system-allocator
taipan=$target/$triple/debug/taipan

rm -rf "$target/reports"
mkdir -p "$target/reports"
export PYTHON_GIL=0 TSAN_OPTIONS="log_path=$target/reports/race history_size=4"
failed=0
for options in "" "--collect 1 --steps 300" "--threads 8 --steps 500"; do
    # shellcheck disable=SC2086
    "$taipan" tests/threads/stress.py --seed "$seed" --programs "$programs" --patience 1200 $options || failed=1
    seed=$((seed + programs))
done
"$taipan" bench/scripts/parallel.py -r 1 || failed=1
if compgen -G "$target/reports/race.*" >/dev/null; then
    grep -h '^SUMMARY' "$target"/reports/race.* | sort | uniq -c | sort -rn
    failed=1
fi
exit $failed
