# shellcheck shell=bash
# One job at a time, each in a process group of its own, with a time limit and a log.
# The script stays responsive: a signal reaches the job at once, and nothing outlives the script.

job='' watchdog='' ticker='' job_code=0

# End the process groups whose leaders are given; those that are gone already do not matter.
end_groups() {
    local leader
    for leader in "$@"; do
        [[ -n $leader ]] || continue
        kill -TERM -- "-$leader" 2>/dev/null || true
        wait "$leader" 2>/dev/null || true
    done
}

# Interrupt a job that exceeds its limit, or whose script was killed, so that it may clean up;
# kill it when it does not.
interrupt_after() {
    local limit_s=$1 leader=$2 log=$3
    while sleep 1 && kill -0 $$ && ((--limit_s > 0)); do :; done
    printf '\nstopped: %s\n' "the time limit of $1 s, or the end of the script" >>"$log"
    kill -INT -- "-$leader"
    sleep 20
    kill -KILL -- "-$leader"
}

# run_job LIMIT_S LOG LABEL COMMAND...: the exit code goes into job_code. Always returns 0: a
# function tested by `if` or `||` would run its command without `set -e`.
run_job() {
    local limit_s=$1 log=$2 label=$3
    shift 3
    set -m # a process group for each
    "$@" </dev/null >"$log" 2>&1 &
    job=$!
    interrupt_after "$limit_s" "$job" "$log" </dev/null >/dev/null 2>&1 &
    watchdog=$!
    if [[ -t 1 ]]; then
        show_seconds "$label" </dev/null &
        ticker=$!
    fi
    set +m
    job_code=0
    wait "$job" 2>/dev/null || job_code=$?
    end_groups "$watchdog" "$ticker" "$job"
    job='' watchdog='' ticker=''
    forget_line
}

# The interrupted job gets the time to take down what it started; asked twice, it is killed.
on_signal() {
    local code=$1
    trap 'kill -KILL -- "-$job" 2>/dev/null' INT TERM HUP
    if [[ -n $job ]]; then
        kill -INT -- "-$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    end_groups "$watchdog" "$ticker"
    forget_line
    exit "$code"
}
trap 'on_signal 130' INT
trap 'on_signal 143' TERM
trap 'on_signal 129' HUP

# step NAME LABEL COMMAND...: part of the preparation; ends the script when it fails.
step() {
    local log=$log_dir/$1.log label=$2 started=$SECONDS
    shift 2
    run_job 1800 "$log" "$label" "$@"
    if ((job_code == 0)); then
        printf '%s%s … %d s%s\n' "$dim" "$label" $((SECONDS - started)) "$plain"
    else
        printf '%s%s … failed after %d s%s\n' "$red" "$label" $((SECONDS - started)) "$plain"
        show_log "$log"
        exit 1
    fi
}
