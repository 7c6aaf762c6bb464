# shellcheck shell=bash
# While packages are installed, Debian's maintainer scripts ask /usr/sbin/policy-rc.d before they
# start a service. The guard answers "no" for the services of the packages being installed, and
# passes every other question to the policy that was there before. It holds only as long as the
# process that set it up lives: even when killed, it leaves a policy that changes nothing, and
# the next run puts the original back.

readonly policy=/usr/sbin/policy-rc.d
readonly policy_before=$policy.before-inline-proxy

end_service_guard() {
    if [[ -e $policy_before || -L $policy_before ]]; then
        mv --force "$policy_before" "$policy"
    elif grep -qs 'guard of the In-line Proxy' "$policy"; then
        rm --force "$policy"
    fi
}

begin_service_guard() {
    local services holder=$BASHPID holder_since
    services=$(printf '%s|' "$@")
    holder_since=$(start_time "$holder")
    end_service_guard
    cat >"$policy.new" <<POLICY
#!/bin/sh
# guard of the In-line Proxy's scripts; it may be deleted when process $holder is gone.
if [ "\$(cut -d ' ' -f 22 /proc/$holder/stat 2>/dev/null)" = "$holder_since" ]; then
    case \$1 in ${services%|}) exit 101 ;; esac
fi
[ -x $policy_before ] && exec $policy_before "\$@"
exit 0
POLICY
    chmod 755 "$policy.new"
    if [[ -e $policy || -L $policy ]]; then
        mv "$policy" "$policy_before"
    fi
    mv "$policy.new" "$policy"
}

# When a process was started, in clock ticks since boot: with its number, its identity.
start_time() {
    cut -d ' ' -f 22 "/proc/$1/stat"
}
