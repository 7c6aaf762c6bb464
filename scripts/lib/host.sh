# shellcheck shell=bash
# What the host must be: Debian 12 or 13, with the rights to install and to make namespaces.

# Print one variable of /etc/os-release.
os_release() {
    # shellcheck source=/dev/null
    (. /etc/os-release 2>/dev/null && printf '%s' "${!1:-}") || true
}

require_debian() {
    case $(os_release ID)-$(os_release VERSION_ID) in
        debian-12) debian=bookworm other_debian=trixie ;;
        debian-13) debian=trixie other_debian=bookworm ;;
        *) stop_because "This needs Debian 12 or 13, and here is $(os_release PRETTY_NAME)." ;;
    esac
}

# Start again under sudo when not root. Only what concerns the terminal and the network goes along.
become_root() {
    ((EUID == 0)) && return
    command -v sudo >/dev/null || stop_because "This needs root, or sudo to become root."
    local kept=() name
    while IFS= read -r name; do
        kept+=("$name=${!name}")
    done < <(compgen -e | grep -E '^(NO_COLOR|TERM|[a-z]+_proxy|[A-Z]+_PROXY|PIP_[A-Z_]+)$')
    exec sudo -- env "${kept[@]}" "$0" "$@"
}

require_namespaces() {
    unshare --net --mount --pid --fork true 2>/dev/null ||
        stop_because "This needs to make network namespaces, which this container may not do (CAP_SYS_ADMIN)."
}

# Under sudo: what root made in the checkout belongs to the person whose checkout it is.
give_back() {
    [[ -n ${SUDO_UID:-} && $(stat -c %u "$checkout") == "$SUDO_UID" ]] || return 0
    find "$checkout" -xdev -user root -exec chown --no-dereference "$SUDO_UID:${SUDO_GID:-}" {} +
}
