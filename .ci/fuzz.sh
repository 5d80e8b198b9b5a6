#!/bin/sh
# Runs each fuzz target for some minutes, two at a time, from copies of the tests that a later build does not touch.
#   .ci/fuzz.sh MINUTES FOLDER
# Each writes FOLDER/TARGET.log; the figures of all are printed at the end. FUZZ_SEED is where the seeds begin, else the time.
set -eu
minutes=$1 folder=$2
seed=${FUZZ_SEED:-$(date +%s)000000}
mkdir -p "$folder"

copy() { # the program of a test binary
    cargo test --locked --no-run --test "$1" 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p' | {
        read -r program
        # Beside the build of cargo's: relative paths are those of the sources.
        cp "$program" "$folder/$1"
    }
}

for test in fuzz fuzz_templates fuzz_wire; do copy "$test"; done

run() { # NAME BINARY TEST
    if FUZZ_MINUTES=$minutes FUZZ_SEED=$seed "$folder/$2" --exact "$3" --nocapture --test-threads=1 >"$folder/$1.log" 2>&1; then
        echo "$1: passed"
    else
        echo "$1: FAILED, see $folder/$1.log"
    fi
}

# Two lanes, each a target after the other.
{
    run labels fuzz mutants_break_no_rule
    run http fuzz_wire answers_break_no_rule
    run references fuzz_wire references_break_no_rule
} &
{
    run templates fuzz_templates mutants_break_no_rule
    run frames fuzz_wire frames_break_no_rule
    run archives fuzz_wire archives_break_no_rule
}
wait

echo "seeds from $seed on"
failed=0
for target in labels templates http frames references archives; do
    echo "== $target"
    grep -hE '^[a-z ]*:? ?[0-9]+ mutants|^mutants|crashes|^memory|^slowest|^corpus' "$folder/$target.log" || true
    grep -q '1 passed' "$folder/$target.log" || failed=1
done
exit "$failed"
