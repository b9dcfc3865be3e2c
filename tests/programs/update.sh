#!/bin/sh
# Makes the NAME.out files anew: PYTHON314=/path/to/python3.14 tests/programs/update.sh [NAME ...]
# PYTHON314 may be a command of several words (default: python3.14). With CHROOT=DIR it is run inside DIR.
set -eu
cd "$(dirname "$0")"
python=${PYTHON314:-python3.14}
[ $# -gt 0 ] || set -- $(ls *.py lifetimes/*.py | sed 's/\.py$//')
work=$PWD
if [ -n "${CHROOT:-}" ]; then
    work=$(mktemp -d "$CHROOT/tmp/programs.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cp -r -- *.py lifetimes "$work"
    python="chroot $CHROOT env -C ${work#"$CHROOT"} $python"
fi
export PYTHONHASHSEED=0 LANG=C.UTF-8 NO_COLOR=1 TZ=UTC
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP FORCE_COLOR COLUMNS || true
$python -c 'import sys; assert sys.version_info[:2] == (3, 14), sys.version'
for name; do
    input=/dev/null
    [ ! -f "$name.in" ] || input=$name.in
    IFS='
'
    arguments=
    [ ! -f "$name.args" ] || arguments=$(cat "$name.args")
    set -f
    set -- $arguments
    unset IFS
    (cd "$work" && $python "$name.py" "$@") <"$input" >"$name.out.new"
    set +f
    mv "$name.out.new" "$name.out"
    echo "$name: $(wc -l <"$name.out") lines"
done
