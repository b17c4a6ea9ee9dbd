# shellcheck shell=sh
# Sourced by tests/*.sh, examples/run.sh and bench/run.sh:
#   need_packages PACKAGE...   installs the Debian packages that are missing, by apt-get, as root or through sudo.
# Returns non-zero, having said what is missing in one line, where it can't; what is there may still do.

# What the command-line tool and its tests are built from.
# shellcheck disable=SC2034
tool_packages="nlohmann-json3-dev libcli11-dev zlib1g-dev libzip-dev libstb-dev libmatio-dev libprotozero-dev"

say() { printf 'dasvdd: %s\n' "$*" >&2; }

# An old package list makes the first try fail, and a bare machine has none at all: hence the second one.
apt_install() {
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  set -- apt-get install -y -q --no-install-recommends "$@"
  as_root "$@" >/dev/null 2>&1 && return
  as_root apt-get update -q >/dev/null && as_root "$@" >/dev/null
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n -E "$@"; fi
}

need_packages() {
  if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    say "no apt-get here: please install what Debian calls $*"
    return 1
  fi
  missing=''
  for package in "$@"; do
    case "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" in
      ii*) ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    say "neither root nor sudo without a password: please run: sudo apt-get install$missing"
    return 1
  fi
  say "installing$missing"
  # shellcheck disable=SC2086  # one word a package
  apt_install $missing && return
  say "apt-get could not install all of:$missing"
  return 1
}

# The options that choose a build's generator: Ninja where it is, unless the folder is configured already.
generator_options() {
  if [ ! -e "$1/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then echo "-G Ninja"; fi
}

cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }
