#!/usr/bin/env bash
# Installs callserver into .venv beside this file. CI, the README and the Dockerfile all run this and nothing else.
#
#   ./install.sh            what the service needs: pinned Python packages, the service itself, a speech synthesiser
#   ./install.sh --test     the same, and the test tools and real telephones that the tests call with
#   ./install.sh --plain    the service is copied into .venv, so that this directory may be read-only afterwards
#
# Needs Python 3.11 or 3.12 with venv, on x86-64. Debian packages are installed where apt and the right to use it are there;
# otherwise it says which are missing and goes on. Run again it does nothing but check, in well under a second.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

test=no plain=no
for option in "$@"; do
  case "$option" in
    --test) test=yes ;;
    --plain) plain=yes ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "install.sh: unknown option $option (known: --test, --plain)" >&2; exit 2 ;;
  esac
done

say() { echo "install.sh: $*" >&2; }

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  say "needs Python 3.11 or 3.12 (PYTHON=/path/to/python names one)"
  exit 1
}

# The Debian packages among those named "program:package" whose program is not there.
missing_packages() {
  local pair
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
}

install_packages() {
  local packages=("$@") as_root=()
  if ! command -v apt-get >/dev/null; then
    say "WARNING: not installed, and there is no apt here: ${packages[*]}"
    return
  fi
  if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      say "WARNING: not installed, and not permitted to: sudo apt-get install ${packages[*]}"
      return
    fi
    as_root=(sudo -n)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0)
  say "installing Debian packages: ${packages[*]}"
  "${as_root[@]}" install --no-install-recommends "${packages[@]}" >/dev/null 2>&1 && return
  if "${as_root[@]}" update >/dev/null && "${as_root[@]}" install --no-install-recommends "${packages[@]}" >/dev/null; then
    return
  fi
  say "WARNING: apt could not install: ${packages[*]}"
}

wanted=(espeak-ng:espeak-ng)
[ "$test" = no ] || wanted+=(baresip:baresip-core linphonec:linphone-cli sipp:sip-tester tshark:tshark)
[ "$test" = no ] || wanted+=(chromium:chromium node:nodejs tsc:node-typescript fc-list:fontconfig)
mapfile -t absent < <(missing_packages "${wanted[@]}")
[ "${#absent[@]}" = 0 ] || install_packages "${absent[@]}"
if [ "$test" = yes ] && command -v fc-list >/dev/null && ! fc-list | grep -q DejaVu; then
  install_packages fonts-dejavu-core # a browser without any font draws boxes
fi
command -v espeak-ng >/dev/null || say "WARNING: without espeak-ng, place names are not spoken: a tone stands for them"

# What was installed from, so that a change of any of it, or a moved directory, is noticed.
locks=(requirements.lock)
[ "$test" = no ] || locks+=(requirements-test.lock)
sources=()
[ "$plain" = no ] || mapfile -t sources < <(find callserver dialplans audio -type f -not -path '*/__pycache__/*' | sort)
stamp="$(cat install.sh pyproject.toml "${locks[@]}" "${sources[@]}" | sha256sum | cut -d' ' -f1) $PWD"
kind=$([ "$plain" = no ] && echo editable || echo plain)
record=.venv/.installed-$kind-$([ "$test" = no ] && echo runtime || echo test)

if ! .venv/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
  rm -rf .venv
  "$(find_python)" -m venv .venv
fi
if [ "$(cat "$record" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi
rm -f "$record" .venv/.installed-$([ "$plain" = no ] && echo plain || echo editable)-*
pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input -q)
requirements=()
for lock in "${locks[@]}"; do requirements+=(-r "$lock"); done
say "installing Python packages"
"${pip[@]}" install "${requirements[@]}"
if [ "$plain" = yes ]; then
  "${pip[@]}" install --no-deps --no-build-isolation --force-reinstall .
else
  "${pip[@]}" install --no-deps --no-build-isolation -e .
fi
echo "$stamp" >"$record"
