#!/bin/sh
# Installs the in-line proxy for ClearIP on this host, or brings it up to this release:
#   install.sh [--config FILE]              from a clone or an unpacked release archive
#   ... | sh -s -- --from URL --version V   fetches the archive and checks its checksum
#   install.sh --uninstall [--purge]        removes it; with --purge its configuration and records
# It may be run again at any time: it finishes what was interrupted, and changes nothing else.
set -eu

say() { printf '%s\n' "$*"; }
stop() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
usage() { stop "Usage: install.sh [--config FILE] [--from URL --version V] | --uninstall [--purge]"; }

home=/opt/inline-proxy
before=$home/packages-before
added=$home/packages-added
config='' from='' version='' uninstall='' purge=''

while [ $# -gt 0 ]; do
    case $1 in
        --config) config=${2:?FILE is missing} && shift ;;
        --from) from=${2:?URL is missing} && shift ;;
        --version) version=${2:?V is missing} && shift ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        *) usage ;;
    esac
    shift
done

installed_packages() { dpkg-query --show --showformat='${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii *//p' | sort; }
apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
        apt-get --yes --quiet --option DPkg::Lock::Timeout=300 "$@" >>/var/log/inline-proxy-install.log 2>&1 ||
        stop "apt-get $1 failed; why: /var/log/inline-proxy-install.log"
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
    [ "$(date +%Y)" -ge 2025 ] || stop "the clock of this host says $(date); set it first (timedatectl set-ntp true)"
    [ -z "$config" ] || [ -r "$config" ] || stop "$config cannot be read"
}

# The tree to install: the one that this script lies in, or a release that is fetched.
find_tree() {
    tree=$(cd "$(dirname "$0")" 2>/dev/null && pwd -P) || tree=''
    [ -z "$from" ] && [ -f "$tree/ansible/site.yml" ] && return
    if [ -z "$from" ] || [ -z "$version" ]; then
        stop "there is no release beside this script; say which to fetch: --from URL --version V"
    fi
    command -v curl >/dev/null || apt install --no-install-recommends curl ca-certificates
    fetched=$(mktemp -d)
    trap 'rm -rf "$fetched"' EXIT
    for file in SHA256SUMS "inline-proxy-$version.tar.gz"; do
        curl --fail --silent --show-error --location --output "$fetched/$file" "$from/$file" ||
            stop "$from/$file cannot be fetched"
    done
    (cd "$fetched" && sha256sum --check --ignore-missing --strict --status SHA256SUMS) ||
        stop "the archive's checksum is not the one in $from/SHA256SUMS; nothing was changed"
    tar -xzf "$fetched/inline-proxy-$version.tar.gz" -C "$fetched"
    tree=$fetched/inline-proxy-$version
}

play() {
    inventory=$(mktemp --suffix=.yml)
    printf '%s\n' "inline_proxies:" "  hosts:" "    localhost:" "      ansible_connection: local" \
        "      ansible_python_interpreter: /usr/bin/python3" "      ansible_become: false" >"$inventory"
    [ -z "$config" ] || printf '      inline_proxy_config_source: "%s"\n' "$(realpath "$config")" >>"$inventory"
    # The role has its own look at the ports, and says who holds them.
    (cd "$tree/ansible" && LC_ALL=C.UTF-8 ANSIBLE_NOCOLOR=1 \
        ansible-playbook --inventory "$inventory" site.yml >>/var/log/inline-proxy-install.log 2>&1) && code=0 || code=$?
    rm -f "$inventory"
    [ "$code" = 0 ] || {
        sed -n '/^fatal:/p' /var/log/inline-proxy-install.log | tail -n 1 >&2
        stop "the installation failed; all of it: /var/log/inline-proxy-install.log; run this again when mended"
    }
}

install_proxy() {
    was=$(readlink "$home/current" || true)
    pid=$(systemctl show --value --property MainPID inline-proxy 2>/dev/null || true)
    say "This installs Debian's Kamailio, Ansible and Python libraries, lays the proxy down under" \
        "$home, and starts it as the service inline-proxy, now and at every boot."
    mkdir -p "$home"
    [ -e "$before" ] || [ -e "$added" ] || installed_packages >"$before"
    # What an interrupted run has left half-installed, here or in the role, is completed first.
    dpkg --configure --pending >>/var/log/inline-proxy-install.log 2>&1 || true
    if ! dpkg-query --show --showformat='${db:Status-Abbrev}' ansible-core 2>/dev/null | grep -q '^ii'; then
        apt update
        apt install --fix-broken
        apt install --no-install-recommends ansible-core
    fi
    find_tree
    play
    if [ -e "$before" ]; then
        installed_packages | comm -13 "$before" - >"$added"
        rm -f "$before"
    fi
    if [ "$was" = "$(readlink "$home/current")" ] && [ "$pid" = "$(systemctl show --value --property MainPID inline-proxy)" ]; then
        say "Nothing to do: $(basename "$was") runs already."
    fi
    say "The proxy runs. It listens on:"
    ss --no-header --listening --tcp --udp --numeric --processes | awk '/"kamailio"/ && !seen[$1 $5]++ { print "  " $1 " " $5 }'
    say "Point your switch there, and enter this host's public address in ClearIP as an SBC." \
        "Configuration: /etc/inline-proxy/config.yaml; after a change: inline-proxy apply"
    inline-proxy doctor --help >/dev/null 2>&1 || return 0
    inline-proxy doctor /etc/inline-proxy/config.yaml || say "doctor has found what is named above; calls to ClearIP need it mended."
}

remove_proxy() {
    systemctl disable --now inline-proxy.service inline-proxy-packet-filter.service 2>/dev/null || true
    rm -f /etc/systemd/system/inline-proxy*.service /usr/bin/inline-proxy
    systemctl daemon-reload
    systemctl reset-failed 'inline-proxy*' 2>/dev/null || true
    systemctl unmask kamailio.service 2>/dev/null || true
    nft delete table inet inline_proxy 2>/dev/null || true
    if [ -s "$added" ]; then
        # Those that something else needs by now stay.
        xargs -a "$added" apt-mark auto >/dev/null 2>&1 || true
        apt autoremove --purge
    fi
    rm -rf "$home"
    if [ -n "$purge" ]; then
        rm -rf /etc/inline-proxy /var/lib/inline-proxy /var/log/inline-proxy /var/log/inline-proxy-install.log
        userdel inline-proxy 2>/dev/null || true
        groupdel inline-proxy 2>/dev/null || true
        say "The proxy is removed, with its configuration and records."
    else
        say "The proxy is removed. Kept: /etc/inline-proxy, /var/lib/inline-proxy, /var/log/inline-proxy" \
            "(--uninstall --purge removes them too)."
    fi
}

check_host
if [ -n "$uninstall" ]; then remove_proxy; else install_proxy; fi
