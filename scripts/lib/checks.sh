# shellcheck shell=bash
# The steps of scripts/test: a line each, and the counts of all of them.

passed=0 failed=0 skipped=0

# Print one attribute of the test suite in a JUnit report.
reported() {
    sed -n "s/.*<testsuite [^>]*\b$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

# Print the names of the tests that failed in a JUnit report.
failed_tests() {
    sed 's/<testcase /\n&/g' "$1" |
        sed -n '/<failure \|<error /s/.* name="\([^"]*\)".*/\1/p' | sort -u
}

# Add a report's tests to the counts and print how many there were. AGAIN is the report of those
# that ran once more, if any did: what failed there has failed.
count_tests() {
    local report=$1 again=$2 bad skips good
    bad=$(bad_tests "$report")
    skips=$(reported "$report" skipped)
    good=$(($(reported "$report" tests) - bad - skips))
    detail=''
    if [[ -s $again ]]; then
        detail=", only when repeated: $(comm -23 <(failed_tests "$report") <(failed_tests "$again") |
            paste --serial --delimiters=' ')"
        good=$((good + bad - $(bad_tests "$again"))) bad=$(bad_tests "$again")
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
    ((skips == 0)) || detail=", $skips skipped$detail"
    ((bad == 0)) || detail=", $bad failed$detail"
    detail="$good passed$detail"
}

bad_tests() {
    echo $(($(reported "$1" failures) + $(reported "$1" errors)))
}

# check NAME LIMIT_S LABEL COMMAND...: one step. Its command may leave NAME.xml (a JUnit report)
# or NAME.detail (a few words) in $run_dir. A step that fails without a failed test of its own
# counts as one failure, so that "0 failed" always means that all is well.
check() {
    local name=$1 limit_s=$2 label=$3 started=$SECONDS failed_before=$failed detail=''
    shift 3
    run_job "$limit_s" "$run_dir/$name.log" "$label" "$@"
    if [[ -s $run_dir/$name.xml ]]; then
        count_tests "$run_dir/$name.xml" "$run_dir/$name.again.xml"
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
