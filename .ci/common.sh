# Shared by .ci/install and .ci/test, which source it with the repository as the current folder. POSIX sh.

# Debian keeps servers where an ordinary user does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

stop() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

say() {
    echo "$(basename "$0"): $*" >&2
}

# Runs a command whose output matters only when it fails.
quietly() {
    quiet_log=$(mktemp) || stop "no temporary file can be made; is ${TMPDIR:-/tmp} full?"
    if "$@" >"$quiet_log" 2>&1 </dev/null; then
        rm -f "$quiet_log"
        return 0
    fi
    tail -n 20 "$quiet_log" >&2
    rm -f "$quiet_log"
    return 1
}

# Whether packages can be installed without asking anybody for a password.
may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Takes apt-get's arguments. sudo does not hand on the environment.
apt_get() {
    quietly as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get --quiet --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# Installs OS packages, without starting the services they bring: those would take ports, port 80 among them.
install_packages() {
    command -v apt-get >/dev/null || stop "please install first: $*"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || stop "please have an administrator install first: apt-get install $*"
        # Asks for the password here, where the question can be seen.
        sudo -v || stop "please install first: sudo apt-get install $*"
    fi
    say "installing $*"
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" || exit 1
    trap 'remove_policy' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Lists that are missing or old make the first try fail.
    apt_get install "$@" 2>/dev/null || { apt_get update && apt_get install "$@"; } ||
        stop "apt-get could not install $*"
    remove_policy
    trap - EXIT INT TERM
    # Nor at the next boot: the tests start the servers that they need.
    for package in "$@"; do
        case $package in
            caddy | haproxy | nginx | squid) services=$package ;;
            varnish) services="varnish varnishncsa" ;;
            *) continue ;;
        esac
        # shellcheck disable=SC2086 # a list of words
        if command -v systemctl >/dev/null; then quietly as_root systemctl disable $services || true; fi
    done
}

remove_policy() {
    # Only the one that was made here: two lines.
    if [ "$(cat "$policy" 2>/dev/null)" = "$(printf '#!/bin/sh\nexit 101')" ]; then as_root rm -f "$policy"; fi
}

# Sets `python` to a Python of 3.11 or later that can make virtual environments.
find_python() {
    python=$(newest_python) || {
        install_packages python3 python3-venv
        python=$(newest_python) || stop "Python 3.11 or later is needed, and this system's python3 is older"
    }
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Debian splits venv off, into a package for each Python.
        install_packages "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
}

# missing_for_compiling PYTHON: prints the OS packages that are missing for compiling cannon's hot modules for it.
missing_for_compiling() {
    compiler=
    command -v gcc >/dev/null || compiler="gcc libc6-dev"
    headers=$("$1" -c 'import os, sys, sysconfig
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print("libpython%d.%d-dev" % sys.version_info[:2])')
    echo "$compiler${compiler:+${headers:+ }}$headers"
}

newest_python() {
    for candidate in python3.11 python3 python3.12 python3.13 python3.14 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# make_environment FOLDER PIP_ARGUMENTS...: a virtual environment with something in it, made again only where what
# decides its content has changed.
make_environment() {
    if is_current "$@"; then return 0; fi
    folder=$1
    shift
    find_python
    say "preparing $folder"
    quietly "$python" -m venv --clear "$folder" || stop "$python cannot make a virtual environment in $folder"
    quietly "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
        stop "pip could not install $*; is the package index reachable?"
    content_of "$folder" "$@" >"$folder/stamp"
}

is_current() {
    [ "$(cat "$1/stamp" 2>/dev/null)" = "$(content_of "$@")" ]
}

# content_of FOLDER PIP_ARGUMENTS...; of `.`, all of which its wheel is made.
content_of() {
    stamped=$1/bin/python
    # A python that is gone leaves no version, and so a stamp that does not match.
    "$stamped" --version 2>/dev/null || true
    shift
    pwd
    echo "$@"
    cat pyproject.toml
    case " $* " in *" . "*)
        missing_for_compiling "$stamped" 2>/dev/null || true
        find LICENSE README.md hatch_build.py cannon scenarios -name __pycache__ -prune -o -type f -exec cksum {} + |
            LC_ALL=C sort ;;
    esac
}
