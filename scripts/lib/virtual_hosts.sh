# shellcheck shell=bash
# Bare Debian machines as root file systems with a kernel: what containers cannot show is seen on
# virtual machines that boot copies of them, under QEMU and under Vagrant.

readonly virtual_host_packages=(
    "${host_packages[@]}" linux-image-cloud-amd64 initramfs-tools zstd kmod
    systemd-resolved systemd-timesyncd rsync
)

# virtual_host_image SUITE: where its root file system lies; another list means another one.
virtual_host_image() {
    local contents
    contents=$(printf '%s\n' "${virtual_host_packages[@]}" | sha256sum | cut -c 1-12)
    printf '%s/machine-%s-%s' "$root_file_systems" "$1" "$contents"
}

# The kernel's modules that an emulated machine boots with, and no others: it starts faster.
make_virtual_host_image() {
    local suite=$1 sources building
    sources=$(fresh_debian_sources "$suite")
    rm -rf --one-file-system "$root_file_systems/building-machine-$suite-"*
    building=$root_file_systems/building-machine-$suite-$BASHPID
    # shellcheck disable=SC2016 # $1 is the hook's
    mmdebstrap --mode=root --variant=minbase --include="$(
        IFS=,
        printf '%s' "${virtual_host_packages[*]}"
    )" --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" &&
            printf "MODULES=list\nCOMPRESS=zstd\n" >"$1/etc/initramfs-tools/conf.d/machine" &&
            printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"' \
        --customize-hook='chroot "$1" systemctl enable systemd-networkd systemd-resolved' \
        --customize-hook='printf "/dev/vda / ext4 defaults 0 1\n" >"$1/etc/fstab"' \
        "$suite" "$building" - <<<"$sources"
    ln -sf /run/systemd/resolve/stub-resolv.conf "$building/etc/resolv.conf"
    # Else apt's module for Ansible takes the empty lists for fresh ones.
    touch --date=@0 "$building/var/lib/apt/lists"
    touch "$building/etc/hostname"
    rm -rf --one-file-system "$root_file_systems/machine-$suite-"*
    mv "$building" "$(virtual_host_image "$suite")"
}

# ensure_virtual_host_image SUITE: make it where it is missing or a week old; one run at a time.
ensure_virtual_host_image() {
    exec {image_lock}>"$root_file_systems/lock-machine-$1"
    flock "$image_lock"
    [[ -n $(find "$(virtual_host_image "$1")/etc/hostname" -mtime -7 2>/dev/null) ]] ||
        make_virtual_host_image "$1"
    exec {image_lock}>&-
}
