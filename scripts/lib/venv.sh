# shellcheck shell=bash
# The virtual environment .venv: Debian's own Python and the libraries of requirements-dev.txt.

readonly system_python=/usr/bin/python3 # Kamailio embeds this one, whatever else PATH holds
readonly venv=$checkout/.venv

# What .venv was made from; another text means making it again.
venv_origin() {
    printf '%s\n' "$checkout"
    "$system_python" --version
    sha256sum <"$checkout/requirements-dev.txt"
}

# The list is complete, so nothing is resolved anew: asked for an extra of a pinned library,
# Debian 12's pip would take that library's newest release, whose hash nobody has approved.
# The record is written last, so an interrupted run is repeated from the start.
make_venv() {
    "$system_python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip --disable-pip-version-check install \
        --no-deps --require-hashes --requirement "$checkout/requirements-dev.txt"
    "$venv/bin/python" -m pip --disable-pip-version-check check
    venv_origin >"$venv/origin"
}

# Bring in the project itself: its sources in place, its command in .venv/bin.
install_project() {
    rm --force "$venv/project"
    "$venv/bin/python" -m pip --disable-pip-version-check install \
        --no-deps --no-build-isolation --editable "$checkout"
    sha256sum <"$checkout/pyproject.toml" >"$venv/project"
}

ensure_venv() {
    if [[ $(venv_origin) != "$(cat "$venv/origin" 2>/dev/null)" || ! -x $venv/bin/python ]]; then
        step libraries "fetching Python libraries into .venv" make_venv
    fi
    if [[ $(sha256sum <"$checkout/pyproject.toml") != "$(cat "$venv/project" 2>/dev/null)" ]]; then
        step project "installing the project into .venv" install_project
    fi
}
