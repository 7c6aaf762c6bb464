# shellcheck shell=bash
# Brings a machine to where the demo and the tests can run; under a second when it already is.
# To be sourced; defines `bootstrap`.

set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
readonly checkout
log_dir=$checkout/build/logs

. "$checkout/scripts/lib/terminal.sh"
. "$checkout/scripts/lib/jobs.sh"
. "$checkout/scripts/lib/host.sh"
. "$checkout/scripts/lib/service_guard.sh"
. "$checkout/scripts/lib/packages.sh"
. "$checkout/scripts/lib/venv.sh"

# bootstrap PACKAGE...: ensure these and .venv; one run at a time works on them.
bootstrap() {
    mkdir -p "$log_dir" 2>/dev/null || true
    [[ -w $log_dir ]] || stop_because "This needs to write into $checkout."
    exec {bootstrap_lock}>"$checkout/build/bootstrap.lock"
    flock "$bootstrap_lock"
    ensure_packages "$@"
    require_namespaces
    ensure_venv
    exec {bootstrap_lock}>&-
}
