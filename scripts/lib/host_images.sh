# shellcheck shell=bash
# Bare Debian hosts as root file systems, with systemd and what any installation has, and nothing
# of the proxy's: the deployment's tests boot copies of them.

readonly host_packages=(
    systemd systemd-sysv dbus udev python3 python3-apt openssh-server sudo iproute2
    iputils-ping ca-certificates procps netbase
)

# host_image SUITE: where its root file system lies; another list of packages means another one.
host_image() {
    local contents
    contents=$(printf '%s\n' "${host_packages[@]}" | sha256sum | cut -c 1-12)
    printf '%s/host-%s-%s' "$root_file_systems" "$1" "$contents"
}

# After a week it is made again, so that Debian's security updates arrive.
host_image_is_fresh() {
    [[ -n $(find "$(host_image "$1")/etc/hostname" -mtime -7 2>/dev/null) ]]
}

# Built aside and renamed when complete: an interrupted run leaves nothing that looks finished.
make_host_image() {
    local suite=$1 sources building
    sources=$(fresh_debian_sources "$suite")
    rm -rf --one-file-system "$root_file_systems/building-host-$suite-"*
    building=$root_file_systems/building-host-$suite-$BASHPID
    mmdebstrap --mode=root --variant=minbase --include="$(
        IFS=,
        printf '%s' "${host_packages[*]}"
    )" "$suite" "$building" - <<<"$sources"
    # Else apt's module for Ansible takes the empty lists for fresh ones.
    touch --date=@0 "$building/var/lib/apt/lists"
    touch "$building/etc/hostname"
    rm -rf --one-file-system "$root_file_systems/host-$suite-"*
    mv "$building" "$(host_image "$suite")"
}

# ensure_host_image SUITE: make it where it is missing or old; one run at a time.
ensure_host_image() {
    exec {image_lock}>"$root_file_systems/lock-host-$1"
    flock "$image_lock"
    host_image_is_fresh "$1" || make_host_image "$1"
    exec {image_lock}>&-
}
