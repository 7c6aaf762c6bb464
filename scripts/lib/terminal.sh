# shellcheck shell=bash
# What the person at the terminal sees: one line per step, one sentence when it cannot go on.

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' red='' green='' dim='' plain=''
fi

# End the script with one sentence on stderr.
stop_because() {
    printf '%s\n' "$1" >&2
    exit 1
}

# Rewrite the current line with the seconds that a step has taken, until killed or left alone.
show_seconds() {
    local label=$1 started=$SECONDS
    while sleep 1 && kill -0 $$; do
        printf '\r%s%s … %d s%s ' "$dim" "$label" $((SECONDS - started)) "$plain"
    done
}

forget_line() {
    [[ -t 1 ]] && printf '\r\e[K'
    return 0
}

# Show why a step failed: the end of its log and where the whole of it lies.
show_log() {
    local log=$1
    tail -n 40 "$log" | sed 's/^/    /'
    printf '    (all of it: %s)\n' "$log"
}
