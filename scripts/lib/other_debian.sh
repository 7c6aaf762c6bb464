# shellcheck shell=bash
# The Debian that this machine is not, as a root file system made from the machine's own mirrors:
# its Kamailio, its Python and its libraries, as an operator there has them.

readonly other_debian_packages=(
    "${lab_packages[@]}" "${library_packages[@]}" baresip-core keepalived nftables prometheus sngrep
)
readonly root_file_systems=${XDG_CACHE_HOME:-$HOME/.cache}/inline-proxy
readonly debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# debian_sources SUITE: print its sources: the machine's Debian mirrors, the suite's name
# exchanged. Other origins among apt's sources are left out.
debian_sources() {
    # shellcheck disable=SC2016
    apt-get indextargets 'Created-By: Packages' \
        --format '$(ORIGIN)|$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)|$(SIGNED_BY)' |
        awk -F '|' -v here="$debian" -v there="$1" -v keyring="$debian_keyring" '
            $1 == "Debian" && ($2 == "Debian" || $2 == "Debian-Security") && $4 == "main" &&
            $3 ~ "^" here "(-updates|-security)?$" {
                sub(here, there, $3)
                print "deb [signed-by=" ($6 ~ "^/" ? $6 : keyring) "] " $5 " " $3 " main"
            }' | sort --unique
}

# fresh_debian_sources SUITE: the same; where apt's lists are missing they are fetched first.
fresh_debian_sources() {
    local sources
    sources=$(debian_sources "$1")
    if [[ -z $sources ]]; then
        apt update >&2
        sources=$(debian_sources "$1")
    fi
    [[ -n $sources ]] || stop_because "apt's sources name no Debian mirror for $debian."
    printf '%s\n' "$sources"
}

# Where the root file system lies: another list of packages means another one.
root_file_system() {
    local contents
    contents=$(printf '%s\n' "${other_debian_packages[@]}" | sort -u | sha256sum | cut -c 1-12)
    printf '%s/rootfs-%s-%s' "$root_file_systems" "$other_debian" "$contents"
}

# After a week it is made again, so that Debian's security updates arrive.
root_file_system_is_fresh() {
    [[ -n $(find "$(root_file_system)/etc/hostname" -mtime -7 2>/dev/null) ]]
}

# Built aside and renamed when complete: an interrupted run leaves nothing that looks finished.
make_root_file_system() {
    local sources building
    sources=$(fresh_debian_sources "$other_debian")
    rm -rf --one-file-system "$root_file_systems"/building-*
    building=$root_file_systems/building-$BASHPID
    apt-config dump --format '%F "%v";%n' Acquire | grep -i '::proxy' >"$run_dir/apt-proxy.conf" || true
    mmdebstrap --mode=root --variant=minbase --aptopt="$run_dir/apt-proxy.conf" \
        --include="$(IFS=,; printf '%s' "${other_debian_packages[*]}")" \
        "$other_debian" "$building" - <<<"$sources"
    mkdir "$building/srv/checkout" "$building/srv/results"
    touch "$building/etc/hostname"
    rm -rf --one-file-system "$root_file_systems/rootfs-$other_debian-"*
    mv "$building" "$(root_file_system)"
}

# Print the version of a package in the root file system, or of this machine with "/".
version_in() {
    dpkg-query --admindir="$1/var/lib/dpkg" --show --showformat='${Version}' "$2" 2>/dev/null |
        sed 's/[+-].*//'
}
