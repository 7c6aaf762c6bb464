# shellcheck shell=bash
# The steps of scripts/test: a line each, and the counts of all of them.

passed=0 failed=0 skipped=0

# Print one attribute of the test suite in a JUnit report.
reported() {
    sed -n "s/.*<testsuite [^>]*\b$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

# Add a report's tests to the counts and print how many there were.
count_tests() {
    local report=$1 bad skips good
    bad=$(($(reported "$report" failures) + $(reported "$report" errors)))
    skips=$(reported "$report" skipped)
    good=$(($(reported "$report" tests) - bad - skips))
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
    detail="$good passed"
    ((bad == 0)) || detail+=", $bad failed"
    ((skips == 0)) || detail+=", $skips skipped"
}

# check NAME LIMIT_S LABEL COMMAND...: one step. Its command may leave NAME.xml (a JUnit report)
# or NAME.detail (a few words) in $run_dir. A step that fails without a failed test of its own
# counts as one failure, so that "0 failed" always means that all is well.
check() {
    local name=$1 limit_s=$2 label=$3 started=$SECONDS failed_before=$failed detail=''
    shift 3
    run_job "$limit_s" "$run_dir/$name.log" "$label" "$@"
    if [[ -s $run_dir/$name.xml ]]; then
        count_tests "$run_dir/$name.xml"
    elif [[ -s $run_dir/$name.detail ]]; then
        detail=$(<"$run_dir/$name.detail")
    fi
    if ((job_code == 0)); then
        result_line "${green}ok  " "$label" $((SECONDS - started)) "$detail"
        return
    fi
    ((failed > failed_before)) || failed=$((failed + 1))
    result_line "${red}FAIL" "$label" $((SECONDS - started)) "$detail"
    show_log "$run_dir/$name.log"
}

result_line() {
    printf '%s%s  %-58s %4d s  %s\n' "$1" "$plain" "$2" "$3" "$4"
}

# The last line of all, the same on a terminal and in a file.
print_counts() {
    printf '%d passed, %d failed' "$passed" "$failed"
    ((skipped == 0)) || printf ', %d skipped' "$skipped"
    printf '\n'
}
