# shellcheck shell=bash
# Debian's packages: what each purpose needs, and installing only what is missing.

# The proxy with its lab.
readonly lab_packages=(
    kamailio kamailio-python3-modules kamailio-tls-modules kamailio-extra-modules
    kamailio-utils-modules python3-cryptography python3-dnspython sip-tester
    python3 python3-venv ca-certificates iproute2 netbase procps util-linux
)
# What the tests want beside it.
readonly test_packages=(
    baresip-core keepalived prometheus nftables shellcheck mmdebstrap debian-archive-keyring
    sngrep
)
# On the machine of the tests alone: a browser for the status page; hosts to install the proxy on,
# and what installs it.
readonly machine_packages=(
    chromium
    ansible-core ansible-lint dbus mmdebstrap nftables openssh-client systemd-container
)
# Virtual machines, and the lab in them; for scripts/acceptance alone.
readonly acceptance_packages=(
    debian-archive-keyring dnsmasq-base e2fsprogs libvirt-clients libvirt-daemon-system qemu-system-x86
    qemu-utils rsync vagrant vagrant-libvirt
)
# The libraries of pyproject.toml and the test tools as Debian has them: an installed proxy runs
# on these, not on those of .venv.
readonly library_packages=(
    python3-aiohttp python3-click python3-cryptography python3-ifaddr python3-jinja2 python3-jwt
    python3-marshmallow python3-prometheus-client python3-psutil python3-ruamel.yaml
    python3-hypothesis python3-jsonschema python3-pytest python3-pytest-timeout python3-pytest-xdist
)

# Print those of the packages given that are not installed.
missing_packages() {
    local installed
    installed=$(dpkg-query --show --showformat='${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^ii *//p' | sort -u || true)
    comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed")
}

# Print "a, b", or "a, b and 5 more": a line of the terminal is short.
some_of() {
    local shown
    shown=$(printf '%s, ' "${@:1:2}")
    printf '%s' "${shown%, }"
    (($# <= 2)) || printf ' and %d more' $(($# - 2))
}

apt() {
    DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l \
        apt-get --yes --quiet --option DPkg::Lock::Timeout=300 "$@"
}

# A new Kamailio neither starts now nor at the next boot: what runs is for the person to say.
install_packages() {
    trap end_service_guard EXIT
    begin_service_guard "$@"
    dpkg --configure --pending # repairs what an earlier, interrupted run left
    apt update || true         # one broken third-party source must not matter here
    apt --no-install-recommends --option Dpkg::Options::=--force-confold install "$@"
    if [[ " $* " == *" kamailio "* ]] && command -v systemctl; then
        systemctl disable kamailio.service
    fi
}

ensure_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} > 0)) || return 0
    step packages "installing $(some_of "${missing[@]}")" install_packages "${missing[@]}"
}
