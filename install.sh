#!/bin/sh
# Installs the in-line proxy for ClearIP on this host, or brings it up to this release:
#   install.sh [--config FILE]              from a clone or an unpacked release archive
#   curl -fsSL URL/install.sh | sudo sh -s -- [--config FILE] [--version V] [--from URL]
#                                           fetches the archive and checks its checksum
#   install.sh --uninstall [--purge]        removes it; with --purge its configuration and records
# It may be run again at any time: it finishes what was interrupted, and changes nothing else.
set -eu
LC_ALL=C.UTF-8
export LC_ALL

# scripts/release --url writes here where the release will lie, and which one it is.
published_at=''
published_version=''

say() { printf '%s\n' "$*"; }
stop() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
usage() {
    stop "Usage: install.sh [--config FILE] [--version V] [--from URL] | --uninstall [--purge]"
}

home=/opt/inline-proxy
before=$home/packages-before
added=$home/packages-added
log=/var/log/inline-proxy-install.log
config='' from='' version='' uninstall='' purge=''

while [ $# -gt 0 ]; do
    case $1 in
        --config | --version | --from)
            [ -n "${2:-}" ] || usage
            case $1 in --config) config=$2 ;; --version) version=$2 ;; *) from=$2 ;; esac
            shift
            ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        *) usage ;;
    esac
    shift
done
[ -z "$purge" ] || [ -n "$uninstall" ] || usage

installed_packages() { dpkg-query --show --showformat='${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii *//p' | sort; }
is_installed() { dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }
# Half a list of packages would have the removal take what was there before.
write_whole() { cat >"$1.new" && mv "$1.new" "$1"; }
apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
        apt-get --yes --quiet --option DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 || {
        grep '^E:' "$log" | tail -n 3 >&2
        stop "apt-get $1 failed; all of it: $log; run this again when mended"
    }
}

check_host() {
    [ "$(id -u)" = 0 ] || stop "run this as root (sudo sh install.sh)"
    [ -d /run/systemd/system ] || stop "the proxy runs as a service of systemd, which is not PID 1 here"
    # shellcheck source=/dev/null
    case $(. /etc/os-release && printf '%s-%s' "$ID" "${VERSION_ID:-}") in
        debian-12 | debian-13) ;;
        *) stop "this installs on Debian 12 and 13; for the Red Hat family use ansible/site.yml" ;;
    esac
    [ -n "$uninstall" ] && return
    memory=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    [ "$memory" -ge 900000 ] || stop "this host has $((memory / 1024)) MB of memory; the proxy needs 900 MB"
    room=$(df --output=avail --block-size=1M /usr | tail -n 1)
    [ "$room" -ge 500 ] || [ -e "$home/current" ] || stop "/usr has $((room)) MB of room; the packages need 500 MB"
    [ "$(date +%Y)" -ge 2025 ] || stop "the clock of this host says $(date); set it first (timedatectl set-ntp true)"
    [ "$(timedatectl show --value --property NTPSynchronized 2>/dev/null)" != no ] ||
        say "Note: nothing sets this host's clock, by which ClearIP's signatures are judged (timedatectl set-ntp true)."
    [ -z "$config" ] || [ -r "$config" ] || stop "$config cannot be read"
    check_ports
}

# Those of a configuration that names others are looked at by the role, which reads it.
check_ports() {
    [ ! -e /etc/systemd/system/inline-proxy.service ] || return 0
    ! grep -qs '^listen' "${config:-/etc/inline-proxy/config.yaml}" || return 0
    taken=$(ss --no-header --listening --tcp --udp --numeric --processes '( sport = :5060 or sport = :5061 )')
    [ -z "$taken" ] || {
        printf '%s\n' "$taken" >&2
        stop "the ports for SIP are taken by what stands above; stop it, or give other ports in --config (listen.udp, tcp, tls)"
    }
}

# The tree to install: the one that this script lies in, or a release that is fetched.
find_tree() {
    tree=''
    case $0 in *install.sh) tree=$(cd "$(dirname "$0")" && pwd -P) ;; esac
    if [ -z "$from" ] && [ -f "$tree/ansible/site.yml" ]; then
        release=$(cat "$tree/RELEASE" 2>/dev/null || echo "a clone")
        [ -z "$version" ] || [ "$version" = "$release" ] ||
            stop "beside this script lies $release, not $version; say where that one lies: --from URL"
        return
    fi
    from=${from:-$published_at} version=${version:-$published_version}
    if [ -z "$from" ] || [ -z "$version" ]; then
        stop "there is no release beside this script; say which to fetch: --from URL --version V"
    fi
    fetch
}

fetch() {
    command -v curl >/dev/null || {
        keep_list_of_packages
        apt update
        apt install --no-install-recommends curl ca-certificates
    }
    fetched=$(mktemp -d)
    trap 'rm -rf "$fetched"' EXIT
    for file in SHA256SUMS "inline-proxy-$version.tar.gz"; do
        curl --fail --silent --show-error --location --output "$fetched/$file" "$from/$file" ||
            stop "$from/$file cannot be fetched"
    done
    grep -q "  inline-proxy-$version.tar.gz\$" "$fetched/SHA256SUMS" ||
        stop "$from/SHA256SUMS does not name inline-proxy-$version.tar.gz; nothing was changed"
    (cd "$fetched" && sha256sum --check --ignore-missing --strict --status SHA256SUMS) ||
        stop "the archive's checksum is not the one in $from/SHA256SUMS; nothing was changed"
    tar -xzf "$fetched/inline-proxy-$version.tar.gz" -C "$fetched"
    tree=$fetched/inline-proxy-$version
}

# What the host had before, so that the removal takes only what the installation has brought.
keep_list_of_packages() {
    mkdir -p "$home"
    [ -e "$before" ] || [ -e "$added" ] || installed_packages | write_whole "$before"
}

install_ansible() {
    # What an interrupted run has left half-installed, here or in the role, is completed first.
    dpkg --configure --pending >>"$log" 2>&1 || true
    [ -z "$(dpkg --audit)" ] || apt install --fix-broken
    ! is_installed ansible-core || return 0
    apt update
    for package in ansible-core kamailio; do
        apt-cache show "$package" >/dev/null 2>&1 ||
            stop "apt's sources offer no $package; enable Debian's section main in /etc/apt/sources.list.d"
    done
    apt install --no-install-recommends ansible-core
}

play() {
    inventory=$(mktemp --suffix=.yml)
    printf '%s\n' "inline_proxies:" "  hosts:" "    localhost:" "      ansible_connection: local" \
        "      ansible_python_interpreter: /usr/bin/python3" "      ansible_become: false" >"$inventory"
    [ -z "$config" ] || printf '      inline_proxy_config_source: "%s"\n' "$(realpath "$config")" >>"$inventory"
    lines=$(wc -l <"$log")
    (cd "$tree/ansible" && ANSIBLE_NOCOLOR=1 \
        ansible-playbook --inventory "$inventory" site.yml >>"$log" 2>&1) && code=0 || code=$?
    rm -f "$inventory"
    [ "$code" = 0 ] || {
        tail -n "+$((lines + 1))" "$log" | why_it_failed >&2
        stop "the installation failed; all of it: $log; run this again when mended"
    }
}

# Of what Ansible prints, the sentence for a person, and what a program that failed has said.
why_it_failed() {
    python3 -c '
import json, sys
lines = sys.stdin.read().splitlines()
fatal = [line for line in lines if line.startswith("fatal:")] or lines[-1:]
head, _, told = (fatal or [""])[-1].partition(" => ")
try:
    said = json.loads(told)
except ValueError:
    said = {"msg": told or head}
print(str(said.get("stderr") or said.get("msg") or head).strip())'
}

install_proxy() {
    : >>"$log"
    find_tree
    was=$(readlink "$home/current" || true)
    pid=$(systemctl show --value --property MainPID inline-proxy 2>/dev/null || true)
    say "This installs Debian's Kamailio, Ansible and Python libraries, lays the proxy down under" \
        "$home, and starts it as the service inline-proxy, now and at every boot."
    keep_list_of_packages
    install_ansible
    play
    if [ -e "$before" ]; then
        installed_packages | comm -13 "$before" - | write_whole "$added"
        rm -f "$before"
    fi
    tell "$was" "$pid"
}

# tell RELEASE PID: what runs now; what ran before is given.
tell() {
    if [ "$1" = "$(readlink "$home/current")" ] && [ "$2" = "$(systemctl show --value --property MainPID inline-proxy)" ]; then
        say "Nothing to do: $(basename "$1") runs already."
    fi
    say "The proxy runs. It listens on:"
    ss --no-header --listening --tcp --udp --numeric --processes | awk '/"kamailio"/ && !seen[$1 $5]++ { print "  " $1 " " $5 }'
    say "Point your switch there, and enter this host's public address in ClearIP as an SBC." \
        "Configuration: /etc/inline-proxy/config.yaml; after a change: inline-proxy apply"
    inline-proxy doctor /etc/inline-proxy/config.yaml || say "doctor has found what is named above; calls to ClearIP need it mended."
}

remove_proxy() {
    ! is_installed inline-proxy || stop "the proxy was installed as a package of Debian: apt-get remove inline-proxy (or purge)"
    systemctl disable --now inline-proxy.service inline-proxy-packet-filter.service 2>/dev/null || true
    rm -f /etc/systemd/system/inline-proxy*.service /usr/bin/inline-proxy
    systemctl daemon-reload
    systemctl reset-failed 'inline-proxy*' 2>/dev/null || true
    systemctl unmask kamailio.service 2>/dev/null || true
    nft delete table inet inline_proxy 2>/dev/null || true
    remove_packages
    rm -rf "$home"
    if [ -n "$purge" ]; then
        rm -rf /etc/inline-proxy /var/lib/inline-proxy /var/log/inline-proxy "$log"
        userdel inline-proxy 2>/dev/null || true
        groupdel inline-proxy 2>/dev/null || true
        say "The proxy is removed, with its configuration and records."
    else
        say "The proxy is removed. Kept: /etc/inline-proxy, /var/lib/inline-proxy, /var/log/inline-proxy" \
            "(--uninstall --purge removes them too)."
    fi
}

# Of the packages that the installation has brought, those that nothing else needs by now; and
# of what else nothing needs, none.
remove_packages() {
    # An installation that was interrupted has not come to the second list.
    [ -e "$added" ] || [ ! -e "$before" ] || installed_packages | comm -13 "$before" - | write_whole "$added"
    [ -s "$added" ] || return 0
    xargs -a "$added" apt-mark auto >/dev/null 2>&1 || true
    unneeded=$(apt-get --simulate autoremove 2>/dev/null | sed -n 's/^Remv \([^ :]*\).*/\1/p' | sort | comm -12 - "$added")
    # shellcheck disable=SC2086 # a word each
    [ -z "$unneeded" ] || apt purge $unneeded
}

check_host
if [ -n "$uninstall" ]; then remove_proxy; else install_proxy; fi
